/** Connects a pipe to the services: payloads parsed, topics passed on. The same for every face. */
import type { Method } from '../../core/contract/api.ts';
import { servePipe, type CallContext, type Pipe, type RpcServer } from '../../core/contract/rpc.ts';
import type { Services } from '../services.ts';
import type { Workbench } from '../workbench.ts';
import { METHODS, parsePayload } from './payloads.ts';

type AnyService = (params: unknown, context: CallContext) => unknown;

/** Serves the other end of a pipe until it closes. */
export function connect(pipe: Pipe, workbench: Workbench, services: Services): RpcServer {
  const server = servePipe(pipe, METHODS, (method: Method, params, context) =>
    (services[method] as AnyService)(parsePayload(method, params), context),
  );
  const end = workbench.listen((topic, value) => server.emit(topic, value));
  pipe.onClose?.(end);
  return {
    emit: (topic, value) => server.emit(topic, value),
    close: () => {
      end();
      server.close();
    },
  };
}
