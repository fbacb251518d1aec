import type { EmulatedModel } from '../models.ts'
import type { GenerateRequest, Part, Turn } from '../request.ts'
import { invalid } from '../rpc-error.ts'

const DATA_FIELDS = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
] as const

/**
 * The rules of `contents`. Source: `gemini-api.md` section 3, "Rules for contents".
 *
 * @throws {RpcError} 400.
 */
export function checkTurns({ contents = [], systemInstruction }: GenerateRequest, model: EmulatedModel): void {
  if (contents.length === 0) throw invalid('* GenerateContentRequest.contents: contents is not specified\n')
  contents.forEach((turn, index) => checkTurn(turn, `contents[${index}]`))
  if (systemInstruction !== undefined) checkSystem(systemInstruction)
  if (isModel(contents[0])) {
    throw invalid(
      hasPart(contents[0], 'functionCall') ? CALL_ORDER : 'Please ensure that the first turn is a user turn.',
    )
  }
  contents.forEach((turn, index) => checkOrder(turn, contents[index - 1]))
  const last = contents.at(-1)
  if (hasPart(last, 'functionCall')) throw invalid(COUNT)
  if (model.refusesPrefill === true && isModel(last) && last?.parts?.some((part) => part.text !== '') === true) {
    throw invalid('Requests ending with a model turn are not supported.')
  }
}

const CALL_ORDER =
  'Please ensure that function call turn comes immediately after a user turn or after a function response turn.'
const RESPONSE_ORDER = 'Please ensure that function response turn comes immediately after a function call turn.'
const COUNT =
  'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.'

function checkTurn({ role, parts = [] }: Turn, path: string): void {
  if (role !== undefined && role !== 'user' && role !== 'model' && role !== 'function') {
    throw invalid('Please use a valid role: user, model.')
  }
  if (parts.length === 0) {
    throw invalid(`* GenerateContentRequest.${path}.parts: contents.parts must not be empty.\n`)
  }
  parts.forEach((part, index) => checkPart(part, `${path}.parts[${index}]`))
}

function checkPart(part: Part, path: string): void {
  const set = DATA_FIELDS.filter((field) => part[field] !== undefined)
  if (set.length === 0) {
    throw invalid(
      `* GenerateContentRequest.${path}.data: required oneof field 'data' must have one initialized field\n`,
    )
  }
  if (set.length > 1) {
    throw invalid(`Invalid value at '${path}' (oneof), oneof field 'data' is already set. Cannot set '${set[1]}'`)
  }
  if (part.functionCall?.name === '') {
    throw invalid(`* GenerateContentRequest.${path}.function_call.name: Name cannot be empty.\n`)
  }
  const { functionResponse } = part
  if (functionResponse !== undefined && (functionResponse.name ?? '') === '') {
    throw invalid(`* GenerateContentRequest.${path}.function_response.name: Name cannot be empty.\n`)
  }
  if (functionResponse !== undefined && functionResponse.response === undefined) {
    throw invalid(`* GenerateContentRequest.${path}.function_response.response: required field is not set.\n`)
  }
}

function checkSystem({ parts = [] }: Turn): void {
  if (parts.length === 0) throw invalid('* GenerateContentRequest.system_instruction.parts: must not be empty.\n')
  parts.forEach((part, index) => {
    if (part.text === undefined) {
      throw invalid('Developer instruction contains a part that is not text.')
    }
    if (part.text === '') {
      throw invalid(`* GenerateContentRequest.system_instruction.parts[${index}].text: text must not be empty.\n`)
    }
  })
}

function checkOrder(turn: Turn, before: Turn | undefined): void {
  if (isModel(turn) && hasPart(turn, 'functionCall') && isModel(before)) throw invalid(CALL_ORDER)
  const results = turn.parts?.filter((part) => part.functionResponse !== undefined) ?? []
  const calls = before?.parts?.filter((part) => part.functionCall !== undefined) ?? []
  if (results.length === 0) {
    if (calls.length > 0) throw invalid(COUNT)
    return
  }
  if (isModel(turn) || calls.length === 0) throw invalid(RESPONSE_ORDER)
  if (results.length !== calls.length) throw invalid(COUNT)
  if (turn.parts?.slice(0, results.length).some((part) => part.functionResponse === undefined) === true) {
    throw invalid(RESPONSE_ORDER)
  }
}

export function isModel(turn: Turn | undefined): boolean {
  return turn?.role === 'model'
}

function hasPart(turn: Turn | undefined, field: keyof Part): boolean {
  return turn?.parts?.some((part) => part[field] !== undefined) ?? false
}
