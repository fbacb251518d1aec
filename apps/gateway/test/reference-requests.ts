/** One request of a reference document, as written there. */
export interface ReferenceRequest {
  /** Document and what it asks for. */
  name: string
  path: string
  headers: Record<string, string>
  /** A JSON body as text, or the fields of a form; `@` before a name stands for a file, as in curl. */
  body?: string | Record<string, string>
  method?: string
}

/** Where the documents say "URL or base64". */
export const FILE = 'url或者base64'
export const LICENCE = '<你的许可证>'

const JSON_TYPE = { 'content-type': 'application/json' }
const RAW = { ...JSON_TYPE, authorization: LICENCE }
const BEARER = { ...JSON_TYPE, authorization: `Bearer ${LICENCE}` }
const GOOGLE = { ...JSON_TYPE, 'x-goog-api-key': LICENCE }

const BOSTON = 'What is the weather like in Boston today?'
const PRIMES =
  'What is the sum of the first 50 prime numbers? Generate and run code for the calculation, and make sure you get all 50.'
const WEATHER = `[{
"type": "function",
"function": {
"name": "get_current_weather",
"description": "Get the current weather in a given location",
"parameters": {
"type": "object",
"properties": {
"location": {
"type": "string",
"description": "The city and state, e.g. San Francisco, CA"
},
"unit": {
"type": "string",
"enum": ["celsius", "fahrenheit"]
}
},
"required": ["location"]
}
}
}]`

function say(text: string, model: string): string {
  return `{
"messages": [{"role": "user", "content": "${text}"}],
"model": "${model}",
"stream": true
}`
}

function look(text: string, model: string): string {
  return `{
"messages": [{
"role": "user",
"content": [
{
"type": "text",
"text": "${text}"
},
{
"type": "image_url",
"image_url": {
"url": "${FILE}"
}
}
]
}],
"model": "${model}",
"stream": true
}`
}

function withTools(text: string, tools: string, model: string): string {
  return `{
"messages": [{
"role": "user",
"content": "${text}"
}],
"tools": ${tools},
"model": "${model}",
"stream": true
}`
}

const CODE = '[{"type": "function", "function": {"name": "codeExecution"}}]'
const NATIVE_QUESTION = '{"contents":[{"role":"user","parts":[{"text":"你是什么模型?"}]}]}'

const WEB = '/gemini_official/v1'
const API = '/gemini/v1/chat/completions'
const CLI = '/gemini_cli/v1/chat/completions'

export const WEB_REQUESTS = {
  chat: {
    name: '000 chat',
    path: `${WEB}/chat/completions`,
    headers: RAW,
    body: say('你是什么模型', 'gemini-2.5-flash'),
  },
  picture: {
    name: '000 a picture in chat, original and without its mark',
    path: `${WEB}/chat/completions?return_origin_image=true&remove_watermark=true`,
    headers: RAW,
    body: say('画一只小猫', 'gemini-2.5-flash-imagen'),
  },
  generations: {
    name: '000 images/generations',
    path: `${WEB}/images/generations`,
    headers: { authorization: LICENCE },
    body: { prompt: '画小猫', model: 'gemini-2.5-flash-imagen' },
  },
  edits: {
    name: '000 images/edits',
    path: `${WEB}/images/edits`,
    headers: { authorization: LICENCE },
    body: { 'image[]': '@example.jpg', prompt: '换一个风格', model: 'gemini-2.5-flash-imagen' },
  },
  laterChat: {
    name: '001 chat',
    path: `${WEB}/chat/completions`,
    headers: BEARER,
    body: say('你是什么模型', 'gemini-3-fast'),
  },
  laterGenerations: {
    name: '001 images/generations',
    path: `${WEB}/images/generations`,
    headers: { authorization: `Bearer ${LICENCE}` },
    body: { prompt: '画小猫', model: 'gemini-3-fast-imagen' },
  },
  laterEdits: {
    name: '001 images/edits',
    path: `${WEB}/images/edits`,
    headers: { authorization: `Bearer ${LICENCE}` },
    body: { 'image[]': '@example.jpg', prompt: '换一个风格', model: 'gemini-3-fast-imagen' },
  },
} satisfies Record<string, ReferenceRequest>

export const API_REQUESTS = {
  chat: { name: '002 chat', path: API, headers: RAW, body: say('你是什么模型', 'gemini-2.0-flash') },
  draw: {
    name: '002 a picture',
    path: API,
    headers: RAW,
    body: say('画小猫', 'gemini-2.0-flash-exp-image-generation'),
  },
  image: { name: '002 picture in', path: API, headers: RAW, body: look('图片里面有什么内容', 'gemini-2.0-flash') },
  audio: { name: '002 audio in', path: API, headers: RAW, body: look('音频里面讲了什么', 'gemini-2.0-flash') },
  video: { name: '002 video in', path: API, headers: RAW, body: look('视频里面讲了什么', 'gemini-2.0-flash') },
  tools: { name: '002 tools', path: API, headers: RAW, body: withTools(BOSTON, WEATHER, 'gemini-2.0-flash') },
  code: { name: '002 code execution', path: API, headers: RAW, body: withTools(PRIMES, CODE, 'gemini-2.0-flash') },
} satisfies Record<string, ReferenceRequest>

export const CLI_REQUESTS = {
  chat: { name: '003 chat', path: CLI, headers: BEARER, body: say('你是什么模型', 'gemini-2.5-pro') },
  image: { name: '003 picture in', path: CLI, headers: RAW, body: look('图片里面有什么内容', 'gemini-2.5-pro') },
  audio: { name: '003 audio in', path: CLI, headers: BEARER, body: look('音频里面讲了什么', 'gemini-2.5-pro') },
  video: { name: '003 video in', path: CLI, headers: BEARER, body: look('视频里面讲了什么', 'gemini-2.0-pro') },
  tools: { name: '003 tools', path: CLI, headers: RAW, body: withTools(BOSTON, WEATHER, 'gemini-2.5-pro') },
  code: { name: '003 code execution', path: CLI, headers: BEARER, body: withTools(PRIMES, CODE, 'gemini-2.5-pro') },
  native: {
    name: '003 generateContent',
    path: '/gemini_cli/v1beta/models/gemini-2.5-pro:generateContent',
    headers: GOOGLE,
    body: NATIVE_QUESTION,
  },
  nativeStream: {
    name: '003 streamGenerateContent',
    path: '/gemini_cli/v1beta/models/gemini-2.5-pro:streamGenerateContent',
    headers: GOOGLE,
    body: NATIVE_QUESTION,
  },
} satisfies Record<string, ReferenceRequest>

export const COOKIE_SERVER_REQUESTS = {
  chat: {
    name: '004 chat',
    path: '/v1/chat/completions',
    headers: JSON_TYPE,
    body: '{"model": "gemini-3-flash-preview", "messages": [{"role": "user", "content": "你好"}]}',
  },
  native: {
    name: '004 generateContent',
    path: '/gemini/v1beta/models/gemini-3-flash-preview:generateContent',
    headers: JSON_TYPE,
    body: '{"contents": [{"role": "user", "parts": [{"text": "你好"}]}]}',
  },
  images: {
    name: '004 generate-images',
    path: '/v1/generate-images',
    headers: JSON_TYPE,
    body: '{"prompt": "a beautiful sunset over the ocean"}',
  },
  imagesByUrl: {
    name: '004 generate-images by URL',
    path: '/v1/generate-images',
    headers: JSON_TYPE,
    body: '{"prompt": "a cute cat", "response_type": "url"}',
  },
  edit: {
    name: '004 images/edit',
    path: '/v1/images/edit',
    headers: JSON_TYPE,
    body: '{"prompt": "将背景改为蓝色天空", "image": "data:image/png;base64,${IMAGE_BASE64}", "response_type": "url"}',
  },
} satisfies Record<string, ReferenceRequest>
