/** The writer's side of the store worker: `StoreWriter` plus taking a run's batches from its port. */
import type { MessagePort } from 'node:worker_threads';
import { toStoreError } from '../store/errors.ts';
import { StoreWriter } from '../store/writer.ts';
import { RunControl, type RowsMessage } from './run-channel.ts';

/** Rows that wait for a commit while nothing arrives are committed after this. */
const IDLE_COMMIT_MS = 500;

export class WriterService extends StoreWriter {
  /** Called before a batch is written: whoever asks something waits for one batch, not for all that a run has sent. */
  beforeBatch = (): void => undefined;

  /**
   * Takes the rows of a run until it says they are all there. Resolves with their number; rejects with DISK_FULL and the like, the rows
   * committed before are kept and the run is told to stop.
   */
  takeRows(runId: number, port: MessagePort, controlBuffer: SharedArrayBuffer): Promise<number> {
    const control = new RunControl(controlBuffer);
    this.beginRows(runId);
    let rows = 0;
    return new Promise<number>((resolve, reject) => {
      const idle = setInterval(() => {
        attempt(() => this.commitRows());
      }, IDLE_COMMIT_MS);
      const end = (): void => {
        clearInterval(idle);
        port.close();
      };
      const attempt = (work: () => void): void => {
        try {
          work();
        } catch (error) {
          control.breakOff();
          end();
          reject(toStoreError(error, 'the project'));
        }
      };
      port.on('message', (message: RowsMessage) => {
        attempt(() => {
          if (message.kind === 'batch') {
            this.beforeBatch();
            rows = this.writeRows(message.batch);
            control.giveBack();
            return;
          }
          this.finishRows();
          end();
          resolve(rows);
        });
      });
      // The run worker died: what arrived is kept.
      port.on('close', () => {
        clearInterval(idle);
        attempt(() => this.commitRows());
        resolve(rows);
      });
    });
  }

  /** Rows taken so far, for the progress line. */
  storedRows(): number {
    return this.rowsWritten;
  }
}
