/**
 * Tunables of the schedulers under their sysfs names (`/sys/block/X/queue/iosched/`), in ns and counts whatever unit sysfs shows them in.
 *
 * @kernel v6.12 block/mq-deadline.c, block/kyber-iosched.c (names and defaults)
 */

export interface MqDeadlineTunables {
  /** read_expire: a read is overdue this long after its insertion. */
  readonly readExpireNs: number;
  /** write_expire. */
  readonly writeExpireNs: number;
  /** prio_aging_expire: a request this old is dispatched although higher priorities wait. */
  readonly prioAgingExpireNs: number;
  /** fifo_batch: requests per batch. */
  readonly fifoBatch: number;
  /** writes_starved: read batches that may precede a waiting write. */
  readonly writesStarved: number;
  /** front_merges. */
  readonly frontMerges: boolean;
  /** async_depth: scheduler tags open to everything but synchronous reads; undefined follows nr_requests. */
  readonly asyncDepth: number | undefined;
}

/** @source block/mq-deadline.c read_expire = HZ / 2, write_expire = 5 * HZ, prio_aging_expire = 10 * HZ, fifo_batch = 16, writes_starved = 2 */
export const MQ_DEADLINE_DEFAULTS: MqDeadlineTunables = {
  readExpireNs: 500_000_000,
  writeExpireNs: 5_000_000_000,
  prioAgingExpireNs: 10_000_000_000,
  fifoBatch: 16,
  writesStarved: 2,
  frontMerges: true,
  asyncDepth: undefined,
};

export interface KyberTunables {
  /** read_lat_nsec: latency target of reads. */
  readonly readLatNs: number;
  /** write_lat_nsec. */
  readonly writeLatNs: number;
}

/** @source block/kyber-iosched.c kyber_latency_targets: 2 ms, 10 ms */
export const KYBER_DEFAULTS: KyberTunables = {
  readLatNs: 2_000_000,
  writeLatNs: 10_000_000,
};
