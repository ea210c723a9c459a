/**
 * Entry of the store worker: all SQL. Started in one of two roles: the *writer* owns the project (one per open project), a *reader* answers questions and
 * exports on a connection of its own, so that neither waits for the rows of a run.
 */
import { workerData } from 'node:worker_threads';
import { answerCalls } from './calls.ts';
import { ReaderService } from './reader-service.ts';
import { WriterService } from './writer-service.ts';

export interface StoreTask {
  readonly role: 'writer' | 'reader';
}

const { role } = workerData as StoreTask;
if (role === 'writer') {
  const writer = new WriterService();
  writer.beforeBatch = answerCalls(writer);
} else answerCalls(new ReaderService());
