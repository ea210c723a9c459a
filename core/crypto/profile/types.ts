/**
 * Words that a crypto profile shares with its neighbours: what a driver implements, what the power management of the host offers, who accounts
 * and who records.
 *
 * Keys are integer handles (`keyId`) here: two handles are two key objects, as two pointers are in the kernel. What a key consists of is known to the
 * driver alone.
 *
 * @kernel v6.12 include/linux/blk-crypto-profile.h (blk_crypto_ll_ops); inline-crypto.md 1.7, 1.8, 1.11
 */

/** Slot numbers that are none. */
export const NO_SLOT = -1;
/** The null keyslot of a profile without slots: success, and nothing to give back. */
export const NULL_SLOT = -2;
/** `tryGet`: not loaded, but a slot is idle and nobody programs: `tryProgram` would work. */
export const NEEDS_PROGRAM = -3;
/** A slot without a key. */
export const NO_KEY = -1;

/** Status of an operation: 0 or a negative errno. @source Linux include/uapi/asm-generic/errno-base.h, errno.h */
export const OK = 0;
export const EIO = -5;
export const ENOMEM = -12;
export const EBUSY = -16;
export const EINVAL = -22;
export const EBADMSG = -74;
export const EOVERFLOW = -75;
export const EOPNOTSUPP = -95;
export const ETIMEDOUT = -110;
export const ENOKEY = -126;

const ERRNO_NAMES: Readonly<Record<number, string>> = {
  [OK]: 'ok',
  [EIO]: 'EIO',
  [ENOMEM]: 'ENOMEM',
  [EBUSY]: 'EBUSY',
  [EINVAL]: 'EINVAL',
  [EBADMSG]: 'EBADMSG',
  [EOVERFLOW]: 'EOVERFLOW',
  [EOPNOTSUPP]: 'EOPNOTSUPP',
  [ETIMEDOUT]: 'ETIMEDOUT',
  [ENOKEY]: 'ENOKEY',
};

/** `EBUSY` of -16. */
export function errnoName(status: number): string {
  return ERRNO_NAMES[status] ?? `errno ${-status}`;
}

/** To whom a driver reports that its operation is over. */
export interface OpOwner {
  /** Ends the operation that runs in `x`, at once or after it burnt CPU or slept there. `output`: the bytes of a wrapped-key operation. */
  opDone(x: number, status: number, output?: Uint8Array): void;
}

/**
 * What a driver of inline encryption hardware implements. Each method runs in the context `x`, alone (the profile serialises them) and with the device
 * resumed, and ends with exactly one `owner.opDone(x, status)`.
 */
export interface CryptoProfileOps {
  /** Operations may sleep: they must not be called from an atomic context. */
  readonly maySleep: boolean;
  /** Called once, by the profile that owns these operations. */
  attach(owner: OpOwner): void;
  keyslotProgram(x: number, keyId: number, slot: number): void;
  /** `slot` is -1 when the profile has no slots. Absent: nothing to be done (profiles without slots only). */
  keyslotEvict?(x: number, keyId: number, slot: number): void;
  /** Ephemerally wrapped key → 32-byte software secret. */
  deriveSwSecret?(x: number, ephemeral: Uint8Array): void;
  /** Raw key → long-term wrapped key. */
  importKey?(x: number, raw: Uint8Array): void;
  /** A new long-term wrapped key. */
  generateKey?(x: number): void;
  /** Long-term wrapped key → ephemerally wrapped key. */
  prepareKey?(x: number, longTerm: Uint8Array): void;
}

/** Runtime power management of the device that holds the keyslots. */
export interface RuntimePm {
  /** pm_runtime_get_sync: takes a reference, resumes the device if need be. Ends with `machine.ret(x)`. May sleep. */
  getSync(x: number): void;
  /** pm_runtime_put_sync. `@assume` takes no time: an idle device suspends by a timer of its own. */
  putSync(x: number): void;
}

/** Accounts the waits of a `get` to the request on whose behalf `x` called it; called in slow paths only. */
export interface GetMarks {
  /** Everything since the last mark was `stage` (an index of core/trace/stages.ts). */
  mark(x: number, stage: number): void;
}

export type SlotState = 'programming' | 'in_use' | 'idle';

/** Receives what each slot held and when: rows of the table `keyslot_span`. */
export interface KeyslotSpans {
  /** False below the detail at which spans are kept. */
  readonly on: boolean;
  /** A span that is over. Empty slots and spans of no length are not reported. */
  span(slot: number, keyId: number, state: SlotState, startNs: number, endNs: number): void;
}

export const NO_SPANS: KeyslotSpans = { on: false, span: () => undefined };
