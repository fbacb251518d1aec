import { createMediaStore } from './media-store.ts'
import type { MediaStore, MediaStoreOptions } from './media-store.ts'
import { createS3Home } from './s3/s3-home.ts'
import type { S3HomeOptions } from './s3/s3-home.ts'

export interface S3MediaStoreOptions extends MediaStoreOptions, Omit<S3HomeOptions, 'now'> {}

/**
 * A store in a bucket of S3, R2, MinIO, OSS or another service that speaks S3. Without a `signer` its URLs are
 * presigned ones of the bucket, good for a week at most; with one they are the gateway's.
 *
 * The total is not limited by default, because counting means listing the bucket.
 *
 * @throws {TypeError} when the endpoint or the bucket name cannot be right.
 */
export function createS3MediaStore(options: S3MediaStoreOptions): MediaStore {
  return createMediaStore(createS3Home(options), { maxTotalBytes: Infinity, ...options })
}

export type { S3BucketOptions } from './s3/bucket.ts'
export type { S3HomeOptions } from './s3/s3-home.ts'
