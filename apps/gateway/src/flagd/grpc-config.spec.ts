import { grpcOptionsOf } from './grpc-config.js';

const closed = { grpcHost: '127.0.0.1', grpcPort: 0, grpcAllowPlaintext: false };
const http = { tlsCertPath: 'http.crt', tlsKeyPath: 'http.key' };
const own = { grpcTlsCertPath: 'grpc.crt', grpcTlsKeyPath: 'grpc.key' };

describe('settings of the gRPC port', () => {
  it.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('let %s be without a certificate', (grpcHost) => {
    expect(grpcOptionsOf({ ...closed, grpcHost })).toEqual({ host: grpcHost, port: 0, tls: null });
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'gateway.example', '127.example'])(
    'open %s with a certificate only, or when plaintext is meant',
    (grpcHost) => {
      expect(() => grpcOptionsOf({ ...closed, grpcHost })).toThrow(/HEADGATE_GRPC_ALLOW_PLAINTEXT/);
      expect(grpcOptionsOf({ ...closed, grpcHost, grpcAllowPlaintext: true }).tls).toBeNull();
      expect(grpcOptionsOf({ ...closed, grpcHost, ...own }).tls).not.toBeNull();
    },
  );

  it('take the certificate of HTTP unless gRPC has its own, and no half of one', () => {
    expect(grpcOptionsOf({ ...closed, ...http }).tls).toEqual({ certFile: 'http.crt', keyFile: 'http.key' });
    const { tls } = grpcOptionsOf({ ...closed, ...http, ...own });
    expect(tls).toEqual({ certFile: 'grpc.crt', keyFile: 'grpc.key' });
    expect(() => grpcOptionsOf({ ...closed, ...http, grpcTlsCertPath: 'grpc.crt' })).toThrow(
      /HEADGATE_GRPC_TLS_KEY_PATH: missing/,
    );
  });
});
