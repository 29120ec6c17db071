// A client or a server of the health service, on grpc-js: node health.js (call | serve) PATH
'use strict';
const grpc = require('@grpc/grpc-js');

const [command, path] = process.argv.slice(2);
// The messages as bytes: a request is empty, and a response has status 1 (SERVING) as its first field.
const bytes = (message) => message;
const serving = Buffer.from([8, 1]);

if (command === 'call') {
  const client = new grpc.Client('unix:' + path, grpc.credentials.createInsecure());
  client.makeUnaryRequest('/grpc.health.v1.Health/Check', bytes, bytes, Buffer.alloc(0), (error, response) => {
    console.log(error ? error.message : response.equals(serving) ? 'serving' : response.toString('hex'));
    client.close();
  });
} else {
  const server = new grpc.Server();
  server.addService({
    check: {
      path: '/grpc.health.v1.Health/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    },
  }, {
    check: (call, callback) => {
      console.log('called as ' + call.getHost());
      callback(null, serving);
    },
  });
  server.bindAsync('unix:' + path, grpc.ServerCredentials.createInsecure(), (error) => {
    console.log(error ? error.message : 'listening');
  });
}
