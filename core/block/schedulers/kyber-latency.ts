/**
 * What kyber knows about latencies, and what it concludes: per-CPU histograms of eight buckets, percentiles once there is enough to go by, and the
 * depth each domain should have.
 *
 * Total latency counts from the request's allocation, I/O latency from its issue. A bucket is a quarter of the domain's target wide; the first
 * four are good. The two percentiles of a domain share one deadline (the kernel keeps one `latency_timeout` per domain): with less than 500
 * samples the I/O percentile uses the deadline up and the total percentile starts a new one.
 *
 * @kernel v6.12 block/kyber-iosched.c calculate_percentile, kyber_timer_fn
 */
/** Domains with a latency target; the fourth (OTHER) has none. */
export const MEASURED_DOMAINS = 3;
export const LATENCY_TOTAL = 0;
export const LATENCY_IO = 1;
const TYPES = 2;

/** A bucket is 1/4 of the target; buckets below GOOD_BUCKETS meet it. @kernel KYBER_LATENCY_SHIFT, KYBER_GOOD_BUCKETS, KYBER_LATENCY_BUCKETS */
const LATENCY_SHIFT = 2;
const GOOD_BUCKETS = 4;
export const LATENCY_BUCKETS = 8;
/** @kernel calculate_percentile */
const ENOUGH_SAMPLES = 500;
/** @kernel calculate_percentile: HZ */
const PATIENCE_NS = 1_000_000_000;
/** @kernel kyber_timer_fn: percentile of I/O latency that tells congestion, and of total latency that sets the depth */
const CONGESTION_PERCENTILE = 90;
const DEPTH_PERCENTILE = 99;
const UNKNOWN = -1;

/** The bucket of a latency under a target (both ns). */
export function latencyBucket(latencyNs: number, targetNs: number): number {
  if (latencyNs <= 0) return 0;
  const widthNs = Math.max(Math.floor(targetNs / (1 << LATENCY_SHIFT)), 1);
  return Math.min(LATENCY_BUCKETS - 1, Math.floor((latencyNs - 1) / widthNs));
}

/** The bucket that holds the percentile of `count` buckets beginning at `at`; they hold `samples` in all. */
export function percentileBucket(buckets: Uint32Array, at: number, samples: number, percentile: number): number {
  let rank = Math.ceil((samples * percentile) / 100);
  let bucket = 0;
  while (bucket < LATENCY_BUCKETS - 1 && buckets[at + bucket] < rank) rank -= buckets[at + bucket++];
  return bucket;
}

/** The new depth of a domain whose percentile of total latency is in bucket `p99`, before clamping. */
export function adjustedDepth(depth: number, p99: number): number {
  return (depth * (p99 + 1)) >> LATENCY_SHIFT;
}

export class KyberLatency {
  private readonly targetsNs: readonly number[];
  private readonly cpus: number;
  /** ((cpu × domains + domain) × types + type) × buckets. */
  private readonly perCpu: Uint32Array;
  private readonly summed = new Uint32Array(MEASURED_DOMAINS * TYPES * LATENCY_BUCKETS);
  /** When a domain's percentiles are computed even with few samples; NaN when no deadline runs. */
  private readonly deadlineNs = new Float64Array(MEASURED_DOMAINS).fill(NaN);
  /** p99 bucket of a quiet window, kept for the next congestion. */
  private readonly rememberedP99 = new Int8Array(MEASURED_DOMAINS).fill(UNKNOWN);

  constructor(targetsNs: readonly number[], cpus: number) {
    this.targetsNs = targetsNs;
    this.cpus = cpus;
    this.perCpu = new Uint32Array(cpus * MEASURED_DOMAINS * TYPES * LATENCY_BUCKETS);
  }

  /** Records one completed request on the CPU that completed it. */
  addSample(cpu: number, domain: number, totalNs: number, ioNs: number): void {
    const targetNs = this.targetsNs[domain];
    const at = (cpu * MEASURED_DOMAINS + domain) * TYPES * LATENCY_BUCKETS;
    this.perCpu[at + LATENCY_TOTAL * LATENCY_BUCKETS + latencyBucket(totalNs, targetNs)]++;
    this.perCpu[at + LATENCY_IO * LATENCY_BUCKETS + latencyBucket(ioNs, targetNs)]++;
  }

  /** Adds samples straight to the sums, as if gathered from the CPUs (tests give histograms this way). */
  addSamples(domain: number, type: number, bucket: number, count: number): void {
    this.summed[(domain * TYPES + type) * LATENCY_BUCKETS + bucket] += count;
  }

  /**
   * The timer: gathers the CPUs' histograms and calls `setDepth(domain, depth)` for every domain whose depth should change.
   * `depthOf(domain)` is the present depth. Runs about ten times a second, so it may take closures.
   */
  evaluate(
    nowNs: number,
    depthOf: (domain: number) => number,
    setDepth: (domain: number, depth: number) => void,
  ): void {
    this.gather();
    let isCongested = false;
    for (let domain = 0; domain < MEASURED_DOMAINS; domain++) {
      if (this.percentile(nowNs, domain, LATENCY_IO, CONGESTION_PERCENTILE) >= GOOD_BUCKETS) isCongested = true;
    }
    for (let domain = 0; domain < MEASURED_DOMAINS; domain++) {
      const p99 = this.depthPercentile(nowNs, domain, isCongested);
      if (p99 === UNKNOWN) continue;
      if (isCongested || p99 >= GOOD_BUCKETS) setDepth(domain, adjustedDepth(depthOf(domain), p99));
    }
  }

  /** The p99 bucket to go by: a fresh one, or in congestion the remembered one, which is then forgotten. */
  private depthPercentile(nowNs: number, domain: number, isCongested: boolean): number {
    const fresh = this.percentile(nowNs, domain, LATENCY_TOTAL, DEPTH_PERCENTILE);
    if (!isCongested) {
      if (fresh !== UNKNOWN) this.rememberedP99[domain] = fresh;
      return fresh;
    }
    const p99 = fresh === UNKNOWN ? this.rememberedP99[domain] : fresh;
    this.rememberedP99[domain] = UNKNOWN;
    return p99;
  }

  private gather(): void {
    const width = MEASURED_DOMAINS * TYPES * LATENCY_BUCKETS;
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      for (let i = 0; i < width; i++) this.summed[i] += this.perCpu[cpu * width + i];
    }
    this.perCpu.fill(0);
  }

  /** The bucket of a percentile, or UNKNOWN while there is too little to go by. Using a histogram clears it. */
  private percentile(nowNs: number, domain: number, type: number, percentile: number): number {
    const at = (domain * TYPES + type) * LATENCY_BUCKETS;
    let samples = 0;
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) samples += this.summed[at + bucket];
    if (samples === 0) return UNKNOWN;
    if (Number.isNaN(this.deadlineNs[domain])) this.deadlineNs[domain] = nowNs + PATIENCE_NS;
    if (samples < ENOUGH_SAMPLES && nowNs < this.deadlineNs[domain]) return UNKNOWN;
    this.deadlineNs[domain] = NaN;
    const bucket = percentileBucket(this.summed, at, samples, percentile);
    this.summed.fill(0, at, at + LATENCY_BUCKETS);
    return bucket;
  }
}
