/**
 * For specs: given plaintext through the real block layer, a real UFS host and flash to the medium, under given keys and DUNs; natively or by way of the fallback. Test aid, not
 * part of any run.
 */
import { Block } from '../../block/block.ts';
import { BufferPool, RequestBytes } from '../../block/buffers.ts';
import { CryptoFallback } from '../../block/crypto-fallback/fallback.ts';
import { OP_READ, OP_WRITE } from '../../block/types.ts';
import { softwarePorts } from '../../crypto/ciphers/software-ports.ts';
import { KeyTable } from '../../crypto/key.ts';
import { KEY_TYPE_RAW, MODE_AES_256_XTS, modeById } from '../../crypto/mode.ts';
import { KeyedCiphers } from '../../crypto/modes/keyed-ciphers.ts';
import { MACHINE_PROFILES } from '../../engine/costs/index.ts';
import { Engine } from '../../engine/engine.ts';
import { Machine } from '../../engine/machine.ts';
import { Workqueues } from '../../engine/workqueue.ts';
import { FlashMedia } from '../../media/flash-media.ts';
import { Medium } from '../../media/medium.ts';
import { mediaProfile } from '../../media/profiles/index.ts';
import { NO_GAUGES, NO_LOG } from '../../trace/log.ts';
import { buildUfs, type Ufs, ufsQueueShape } from './build.ts';
import { defaultUfsConfig } from './config.ts';
import type { UfsCryptoConfig } from './crypto-config.ts';
import { CAPABILITY, type MakeIce } from './crypto-testing.ts';
import { noPower } from './stack-testing.ts';

const CAPACITY = 1024 ** 3;
const SECTOR = 512;

export interface DataRigOptions {
  /** Absent: the host does not encrypt. */
  readonly crypto?: Partial<UfsCryptoConfig>;
  readonly ice?: MakeIce;
}

/** A bio by its words. */
export interface DataBio {
  readonly offsetBytes: number;
  /** Absent: plain. */
  readonly keyId?: number;
  readonly dun?: bigint;
}

export class DataRig {
  readonly engine = new Engine(7);
  readonly machine = new Machine(this.engine, MACHINE_PROFILES[0].costs, 4);
  readonly keys = new KeyTable();
  readonly buffers = new BufferPool();
  readonly medium = new Medium(CAPACITY, CAPACITY);
  readonly block: Block;
  readonly ufs: Ufs;
  readonly fallback: CryptoFallback;
  /** I/Os that met a wrong key, by handle. */
  readonly wrongKeys: number[] = [];
  private readonly startKind: number;
  private readonly endedKind: number;
  private status = -1;

  constructor({ crypto, ice }: DataRigOptions = {}) {
    const { engine, machine, keys, buffers, medium } = this;
    const workqueues = new Workqueues(engine, machine);
    const env = { engine, machine, workqueues, log: NO_LOG, gauges: NO_GAUGES };
    const base = { ...defaultUfsConfig('ufs-3.1'), ...noPower, capacityBytes: CAPACITY, strict: true };
    const words = crypto && { capabilities: [CAPABILITY], keyslots: 4, ...crypto };
    const config = { ...base, crypto: words ?? base.crypto };
    this.block = new Block(env, { ...ufsQueueShape(config), capacitySectors: CAPACITY / SECTOR });
    const { block } = this;
    const marks = { marks: block.keyslotMarks, holders: (slot: number) => block.keyslotHolders(slot) };
    const parts = words && { keys, ice: ice?.(engine, machine, keys, words.keyslots).ice, env: marks };
    this.ufs = buildUfs(env, config, block, parts);
    const profile = mediaProfile('ufs-3.1-tlc');
    if (profile === undefined) throw new Error('no such profile');
    const rows = block.requests.rows;
    this.ufs.attachMedia(new FlashMedia(engine, profile, CAPACITY, this.ufs.client, rows, NO_LOG, NO_GAUGES));
    const host = new RequestBytes(block, buffers);
    host.onWrongKey = (io) => this.wrongKeys.push(io);
    this.ufs.attachData({ host, medium, ciphers: new KeyedCiphers(softwarePorts), requests: block.requests });
    this.ufs.bringUp();
    block.attach(this.ufs.lld);
    if (this.ufs.profile !== undefined) block.attachProfile(this.ufs.profile, keys);
    this.fallback = new CryptoFallback({
      engine,
      machine,
      workqueues,
      block,
      keys,
      data: { buffers, ports: softwarePorts },
    });
    const exitKind = engine.register('test.submitted', (x) => machine.exit(x));
    this.startKind = engine.register('test.submit', (bio) => {
      block.bios.rows.start(bio, engine.now);
      machine.pushReturn(machine.current, exitKind, machine.current);
      this.fallback.submitBio(machine.current, bio);
    });
    this.endedKind = engine.register('test.bio-ended', (bio) => {
      this.status = block.bios.status[bio];
      block.bios.release(bio);
    });
  }

  /** A key that is ready to be used. */
  key(bytes: Uint8Array, dataUnitSize = 4096, mode = MODE_AES_256_XTS, dunBytes?: number): number {
    const most = modeById(mode)?.ivBytes ?? 8;
    const narrow = mode === MODE_AES_256_XTS ? 8 : most;
    const config = { mode, dataUnitSize, dunBytes: dunBytes ?? narrow, keyType: KEY_TYPE_RAW };
    const keyId = this.keys.create(bytes, config);
    this.fallback.startUsingKey(keyId);
    return keyId;
  }

  /** Writes; returns the status. `data` stands in the buffer and must stay what it is. */
  write(bio: DataBio, data: Uint8Array): number {
    const buffer = this.buffers.take(data.length, bio.offsetBytes / SECTOR);
    const bytes = this.buffers.bytes(buffer, bio.offsetBytes / SECTOR, data.length);
    bytes.set(data);
    this.submit(OP_WRITE, bio, buffer, data.length);
    if (!bytes.every((byte, i) => byte === data[i])) throw new Error('the source pages of a write were changed');
    this.buffers.put(buffer);
    return this.status;
  }

  /** Reads into a buffer of 0xee; returns status and what is in the buffer afterwards. */
  read(bio: DataBio, sizeBytes: number): { readonly status: number; readonly data: Uint8Array } {
    const buffer = this.buffers.take(sizeBytes, bio.offsetBytes / SECTOR);
    const bytes = this.buffers.bytes(buffer, bio.offsetBytes / SECTOR, sizeBytes).fill(0xee);
    this.submit(OP_READ, bio, buffer, sizeBytes);
    this.buffers.put(buffer);
    return { status: this.status, data: bytes.slice() };
  }

  /** What lies on the medium. */
  onMedium(offsetBytes: number, sizeBytes: number): Uint8Array {
    const data = new Uint8Array(sizeBytes);
    this.medium.read(offsetBytes, data);
    return data;
  }

  private submit(op: number, { offsetBytes, keyId, dun }: DataBio, buffer: number, sizeBytes: number): void {
    const { bios } = this.block;
    const { engine, machine } = this;
    const bio = bios.alloc();
    bios.op[bio] = op;
    bios.sector[bio] = offsetBytes / SECTOR;
    bios.bytes[bio] = sizeBytes;
    bios.segments[bio] = Math.ceil(sizeBytes / 4096);
    bios.buffer[bio] = buffer;
    bios.io[bio] = bio;
    bios.endKind[bio] = this.endedKind;
    if (keyId !== undefined) bios.setCrypt(bio, keyId, dun ?? 0n, this.keys.dataUnitSize(keyId));
    this.status = -1;
    machine.wake(-1, machine.createTask('submitter', 1, this.startKind, bio));
    while (engine.runSlice(10_000));
    const left = [...this.ufs.checkEmpty(), ...this.block.checkEmpty(), ...this.fallback.checkEmpty()];
    if (left.length > 0) throw new Error(left.join('; '));
  }
}
