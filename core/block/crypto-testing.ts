/** For specs of inline encryption in the block layer: the rig of testing.ts with a crypto profile over scripted hardware. */
import { KEY_TYPE_RAW } from '../crypto/mode.ts';
import type { KeyTable } from '../crypto/key.ts';
import { auditProfile } from '../crypto/profile/audit.ts';
import type { ProfileConfig } from '../crypto/profile/config.ts';
import { CryptoProfile } from '../crypto/profile/profile.ts';
import { ScriptedOps, type ScriptedWay } from '../crypto/profile/scripted-ops.ts';
import { type BioSpec, Rig, type RigOptions, type Step } from './testing.ts';

export interface CryptoRigOptions extends RigOptions {
  readonly slots?: number;
  readonly way?: ScriptedWay;
  readonly programNs?: number;
  readonly profile?: Partial<ProfileConfig>;
  /** With it, keys are checked against the profile. */
  readonly keys?: KeyTable;
}

export class CryptoRig extends Rig {
  readonly profile: CryptoProfile;
  readonly ops: ScriptedOps;
  readonly attached: boolean;
  /** Breaches of the laws of slots, found at the driver's door and between events. */
  readonly breaches: string[] = [];

  constructor(options: CryptoRigOptions = {}) {
    const { slots = 1, way = 'burn', programNs = 10_000, profile, keys, ...rest } = options;
    super(rest);
    const { engine, machine, block } = this;
    this.ops = new ScriptedOps(engine, machine, slots, way, programNs);
    const env = { engine, machine, marks: block.keyslotMarks, holders: (slot: number) => block.keyslotHolders(slot) };
    const config = { maxDunBytes: 8, modes: { 'AES-256-XTS': 0x1200 }, keyTypes: KEY_TYPE_RAW, slots, ...profile };
    this.profile = new CryptoProfile(env, config, this.ops);
    this.attached = block.attachProfile(this.profile, keys);
    const answer = this.lld.answer;
    this.lld.answer = (rq) => {
      this.lookAt(rq);
      return answer(rq);
    };
  }

  /** I-8, I-9: what holds for every request that reaches the driver. */
  lookAt(rq: number): void {
    const { keyId, keyslot } = this.block.requests;
    const slot = keyslot[rq];
    if (keyId[rq] < 0 || this.profile.slots === 0) {
      if (slot !== -1) this.breaches.push(`I-9: request ${rq} has slot ${slot} without need`);
    } else if (slot < 0 || this.profile.table.key[slot] !== keyId[rq]) {
      this.breaches.push(`I-8: request ${rq} of key ${keyId[rq]} has slot ${slot}`);
    } else if (this.ops.hardwareKey(slot) !== keyId[rq]) {
      this.breaches.push(`I-30: slot ${slot} holds ${this.ops.hardwareKey(slot)} instead of key ${keyId[rq]}`);
    }
  }

  /** Runs to the end with all tables looked at after every event; nothing may be left inside. */
  override finish(): this {
    while (this.engine.runSlice(1)) {
      this.breaches.push(...auditProfile(this.profile));
      this.countReferences();
      if (this.breaches.length > 0) break;
    }
    super.finish();
    const wrong = [...this.breaches, ...this.profile.checkEmpty()];
    if (wrong.length > 0) throw new Error(wrong.join('; '));
    return this;
  }

  /** I-2: a slot's references are the requests that point at it, and the bios that have one before their tag. */
  private countReferences(): void {
    const { requests, queue } = this.block;
    const held = new Int32Array(this.profile.slots);
    for (let rq = 0; rq < requests.highWater; rq++) if (requests.keyslot[rq] >= 0) held[requests.keyslot[rq]]++;
    for (const t of queue.knownTasks()) if (t.keyslot >= 0) held[t.keyslot]++;
    for (const [slot, count] of held.entries()) {
      const refs = this.profile.table.refs[slot];
      if (refs !== count) this.breaches.push(`I-2: slot ${slot} has ${refs} references for ${count} requests`);
    }
  }
}

/** An encrypted 4 KiB bio: data units of 4 KiB, DUN = block number unless given. */
export function encrypted(keyId: number, sector: number, more: BioSpec = {}): Step {
  return { submit: { keyId, sector, dun: Math.floor(sector / 8), dataUnitSize: 4096, ...more } };
}

export function plain(sector: number, more: BioSpec = {}): Step {
  return { submit: { sector, ...more } };
}
