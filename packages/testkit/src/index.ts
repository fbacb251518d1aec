export {
  scriptedGenerator,
  type ScriptedGenerator,
  type ScriptedGeneratorOptions,
  type ScriptStep,
} from './scripted-generator.ts'
export { describeContentGenerator, type ContentGeneratorFixture } from './describe-content-generator.ts'
export { CUT_SIZES, cutBytes, cutText, streamOf } from './cutting.ts'
