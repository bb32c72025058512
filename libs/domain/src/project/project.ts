import type { LogEvent } from '@headgate/contracts';

export type Project =
  | { readonly status: 'absent' }
  | {
      readonly status: 'active';
      readonly id: string;
      readonly slug: string;
      readonly name: string;
      readonly createdAt: number;
      readonly why: string;
    };

export const initialProject: Project = { status: 'absent' };

export type ProjectEvent = Extract<LogEvent, { type: 'project-created.v1' }>;

export const evolveProject = (_state: Project, event: ProjectEvent): Project => {
  switch (event.type) {
    case 'project-created.v1':
      return {
        status: 'active',
        id: event.aggregateId,
        slug: event.data.slug,
        name: event.data.name,
        createdAt: event.at,
        why: event.data.why,
      };
  }
};
