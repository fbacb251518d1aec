import * as v from 'valibot'

/**
 * The fields of an image request. Multipart forms turn numbers and flags into texts, so those are taken too.
 * Source: `dialects.md` section 2.1.
 */

const text = v.nullish(v.string())

const whole = (least: number, most: number) =>
  v.nullish(
    v.pipe(
      v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/, 'must be a whole number'), v.transform(Number))]),
      v.integer('must be a whole number'),
      v.minValue(least),
      v.maxValue(most),
    ),
  )

const flag = v.nullish(
  v.union([
    v.boolean(),
    v.pipe(
      v.picklist(['true', 'false'], 'must be true or false'),
      v.transform((value) => value === 'true'),
    ),
  ]),
)

const Reference = v.union([
  v.string(),
  v.looseObject({
    url: text,
    image_url: v.nullish(v.union([v.string(), v.looseObject({ url: v.string() })])),
    b64_json: text,
    file_id: text,
  }),
])

const References = v.nullish(v.union([v.array(Reference), Reference]))

export const ImageRequestSchema = v.looseObject({
  prompt: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  model: text,
  n: whole(1, 10),
  quality: v.nullish(
    v.picklist(
      ['auto', 'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd'],
      'must be auto, low, medium, high, xhigh, max, standard or hd',
    ),
  ),
  response_format: v.nullish(v.picklist(['url', 'b64_json'], 'must be url or b64_json')),
  output_format: v.nullish(v.picklist(['png', 'jpeg', 'jpg', 'webp'], 'must be png, jpeg or webp')),
  background: v.nullish(v.picklist(['auto', 'transparent', 'opaque'], 'must be auto, transparent or opaque')),
  stream: flag,
  partial_images: whole(0, 3),
  image: References,
  images: References,
  mask: v.nullish(v.unknown()),
})

export type ImageRequestBody = v.InferOutput<typeof ImageRequestSchema>
export type ImageReference = v.InferOutput<typeof Reference>
