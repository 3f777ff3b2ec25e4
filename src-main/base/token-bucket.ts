/** How much may happen at once, and how quickly that comes back. */
export interface BucketRate {
  capacity: number
  refillPerS: number
}

/** A level of tokens at a moment; a value, so that it can travel with what it limits. */
export interface Bucket {
  tokens: number
  /** Of a monotonic clock. */
  atMs: number
}

/** A full bucket. */
export function fullBucket(rate: BucketRate, nowMs: number): Bucket {
  return { tokens: rate.capacity, atMs: nowMs }
}

/** The bucket as it stands now. */
export function refilled(bucket: Bucket, rate: BucketRate, nowMs: number): Bucket {
  const gained = ((nowMs - bucket.atMs) / 1000) * rate.refillPerS
  return { tokens: Math.min(rate.capacity, bucket.tokens + gained), atMs: nowMs }
}
