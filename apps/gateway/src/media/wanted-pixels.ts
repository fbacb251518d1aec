import { MODEL_TABLE } from '@castorjs/gemini-web-client/content-generator'

/** Length of the longer side that a model's name promises, such as 2048 for `…-2k`. */
export function wantedPixels(model: string): number | undefined {
  return MODEL_TABLE[model.toLowerCase()]?.imagePixels
}
