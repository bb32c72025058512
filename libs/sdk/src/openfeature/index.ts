export { flagErrorHook } from './error-hook.js';
export { HeadgateProvider, type HeadgateProviderOptions, headgateProvider } from './headgate-provider.js';
