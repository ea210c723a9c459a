/**
 * The image of a medium as a raw file: the device's capacity, with holes where nothing was written.
 *
 * The pages come from the run worker in order, a message at a time, each for a credit (`run-channel.ts`). The file grows under a temporary name and is renamed when it is whole;
 * what is not whole is removed.
 */
import { closeSync, ftruncateSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { BlklabError } from '../../core/contract/errors.ts';
import { toStoreError } from '../store/errors.ts';
import { type ImageMessage, RunControl } from '../workers/run-channel.ts';

const PART = '.part';

export class MediumImage {
  readonly path: string;
  /** For the run worker. */
  readonly port: MessagePort;
  readonly control = new RunControl();
  /** Bytes of pages received. */
  pageBytes = 0;
  capacityBytes = 0;
  private readonly file: number;
  private readonly received: Promise<void>;
  private isWhole = false;
  private error: BlklabError | undefined;

  /** Opens the file. Throws BAD_INPUT when that cannot be. */
  constructor(path: string) {
    this.path = path;
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
      throw new BlklabError('BAD_INPUT', `--out ${path}: must be a file.`);
    try {
      this.file = openSync(path + PART, 'w');
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new BlklabError('BAD_INPUT', `--out ${path}: cannot be written: ${why}`);
    }
    this.control.grant();
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.received = new Promise((resolve) => {
      port2.on('message', (message: ImageMessage) => {
        this.take(message);
        this.control.giveBack();
      });
      port2.on('close', resolve);
    });
  }

  private take(message: ImageMessage): void {
    if (this.error !== undefined) return;
    try {
      if (message.kind === 'pages') this.write(message.offsetBytes, message.bytes);
      else {
        this.capacityBytes = message.capacityBytes;
        ftruncateSync(this.file, message.capacityBytes);
        this.isWhole = true;
      }
    } catch (error) {
      this.error = imageError(error, this.path);
      this.control.breakOff();
    }
  }

  /** A write may take less than it was given (a nearly full disk); the next one then says why. */
  private write(offsetBytes: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.file, bytes, at, bytes.length - at, offsetBytes + at);
    this.pageBytes += bytes.length;
  }

  /** After the run: gives the file its name, or removes it when the run sent no whole medium. Returns whether there is an image. Throws when writing went wrong. */
  async finish(): Promise<boolean> {
    await this.received;
    closeSync(this.file);
    if (this.isWhole && this.error === undefined) renameSync(this.path + PART, this.path);
    else rmSync(this.path + PART, { force: true });
    if (this.error !== undefined) throw this.error;
    return this.isWhole;
  }
}

function imageError(error: unknown, path: string): BlklabError {
  const known = toStoreError(error, path);
  if (known.code !== 'DISK_FULL') return known;
  return new BlklabError('DISK_FULL', `The disk is full: ${path} could not be written. Nothing of the image was kept.`);
}
