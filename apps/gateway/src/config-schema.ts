import { KEY_PREFIX } from '@castorjs/caller-keys'
import { MODES, PAGE_KEYS, RPC, TOOLS } from '@castorjs/gemini-web-protocol'
import * as v from 'valibot'
import {
  ceiling,
  cookieValue,
  geminiApiKey,
  httpUrl,
  label,
  milliseconds,
  origin,
  port,
  privateHost,
  ProxySchema,
  redisUrl,
  requests,
  spacing,
  wholeFrom,
} from './config-fields.ts'
import { readWebhookAddress } from './telemetry/webhook-address.ts'

/** One signed-in session of the Gemini web app: the operator's own. */
const WebAccountSchema = v.strictObject({
  /** Name shown in logs and states. Not a secret. */
  label,
  /** Any import text: a `Cookie` header, cookies.txt, a browser's JSON export. */
  cookies: v.optional(v.string()),
  secure1psid: v.optional(cookieValue),
  secure1psidts: v.optional(cookieValue),
  secure1psidcc: v.optional(cookieValue),
  /** `/u/N`, where one set of cookies holds several accounts. */
  accountIndex: v.optional(wholeFrom(0), 0),
  /** All traffic of this account goes through here: one account, one egress. */
  proxy: v.optional(ProxySchema),
  /** Share of the requests, compared with the other accounts. Default 1. */
  weight: v.optional(
    v.pipe(v.number(), v.gtValue(0, 'must be above 0; to stop an account, pause it'), v.maxValue(1_000)),
  ),
  /** Answers of this account at the same time. Default: `geminiWeb.maxConcurrent`. */
  maxConcurrent: v.optional(wholeFrom(1)),
})

/** What a public model name asks of the web app. */
const WebModelSchema = v.strictObject({
  mode: v.picklist(namesOf(MODES)),
  tool: v.exactOptional(v.picklist(namesOf(TOOLS))),
  gemId: v.exactOptional(v.string()),
  extendedThinking: v.exactOptional(v.boolean()),
  guest: v.exactOptional(v.boolean()),
  imagePixels: v.exactOptional(wholeFrom(1)),
})

const ProtocolSchema = v.strictObject({
  /** Slots of the request array, by index. */
  slots: v.exactOptional(v.record(v.pipe(v.string(), v.digits()), v.unknown())),
  /** Header values, by lower-case name. */
  headers: v.exactOptional(v.record(v.string(), v.string())),
  /** Ids of remote calls, by our name for them. */
  rpcIds: v.exactOptional(v.record(v.picklist(namesOf(RPC)), v.string())),
  /** Keys on the app page, by our name for them. */
  pageKeys: v.exactOptional(v.record(v.picklist(namesOf(PAGE_KEYS)), v.string())),
})

function namesOf<Name extends string>(table: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(table) as Name[]
}

const ApiKeySchema = v.strictObject({
  /** Name in logs. Not a secret. */
  id: v.pipe(v.string(), v.regex(/^[\w.-]+$/, 'must be letters, digits, dots, dashes or underscores')),
  key: v.pipe(
    v.string(),
    v.minLength(8, 'must be at least 8 characters long'),
    v.check(
      (key) => !key.startsWith(KEY_PREFIX),
      `must not begin with ${KEY_PREFIX}, as the keys made with POST /api/keys do: it would be looked for among those`,
    ),
  ),
  /** Limits of this key in the place of the common ones; it is then counted apart. */
  limits: v.exactOptional(
    v.strictObject({ perHour: v.exactOptional(requests), modelSpacingMs: v.exactOptional(spacing) }),
  ),
})

const UPSTREAMS = ['gemini-web', 'gemini-api', 'code-assist'] as const

const MountSchema = v.strictObject({
  path: v.pipe(v.string(), v.regex(/^\/[\w./-]*$/, 'must begin with a slash, such as /gemini')),
  upstreams: v.pipe(
    v.array(
      v.union([v.picklist(UPSTREAMS), v.strictObject({ use: v.picklist(UPSTREAMS), models: v.array(v.string()) })]),
    ),
    v.nonEmpty('must name at least one upstream'),
  ),
  /** Go on to the next upstream also when one is spent or down. */
  fallback: v.optional(v.boolean(), false),
})

export type UpstreamName = (typeof UPSTREAMS)[number]
export type MountConfig = v.InferOutput<typeof MountSchema>

/** The whole configuration, after file and environment were merged. Unknown keys are mistakes. */
export const ConfigSchema = v.strictObject({
  port: v.optional(port, 8_100),
  /** Address to listen on. Default: everywhere with a key, loopback without. */
  host: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  /** Keys of the callers. */
  apiKeys: v.optional(v.array(ApiKeySchema), []),
  /** Serve callers from other machines without any key. */
  allowAnyone: v.optional(v.boolean(), false),
  /** Origins of browser clients that may call. `*` needs a key. */
  corsOrigins: v.optional(v.array(origin), ['*']),
  /** Where cookies, media and state are kept. */
  dataDir: v.optional(v.string(), './castor-data'),
  /** Base URL that callers see, for links to media. Default: the address of the request. */
  publicBaseUrl: v.optional(httpUrl),
  maxBodyBytes: v.optional(v.pipe(v.number(), v.minValue(1_024)), 100 * 1024 * 1024),
  /** Fail when the upstream answers with another model than the one asked for. */
  strictModel: v.optional(v.boolean(), false),
  /**
   * Name of this machine's own address, for states and logs. Gateways on one Redis that leave by different addresses need
   * different names, or they share one pace and one block.
   */
  egress: v.optional(v.pipe(label, v.regex(/^(?!.*:\/\/)/, 'must be a name, not a URL')), 'direct'),
  accounts: v.optional(v.array(WebAccountSchema), []),
  geminiWeb: v.optional(
    v.strictObject({
      /** Base URL per host of the web app, where it is not Google's. */
      baseUrls: v.optional(v.record(v.string(), httpUrl), {}),
      language: v.optional(v.string(), 'en'),
      /** Egress of guest sessions and of accounts without a proxy of their own. */
      proxy: v.optional(ProxySchema),
      /** Generations at a time per account. */
      maxConcurrent: v.optional(wholeFrom(1), 2),
      /** Serve without an account, with Google's smallest model. */
      guest: v.optional(v.boolean(), true),
      /** Names that callers may use, each with what it asks of the web app. Wins over the built-in table. */
      models: v.optional(v.record(v.pipe(v.string(), v.nonEmpty()), WebModelSchema), {}),
      /** Constants of the web app's protocol, for the days between its change and our release. */
      protocol: v.optional(ProtocolSchema, {}),
    }),
    {},
  ),
  /** Cookies, keys, limits and states. */
  state: v.optional(
    v.strictObject({
      /** Redis shares the state between processes; without it, it lives in a folder under `dataDir`. */
      redisUrl: v.optional(redisUrl),
      redisPrefix: v.optional(v.string(), 'castor:'),
      /** 32 bytes in base64 each. The first one seals, all of them open. Default: a key file under `dataDir`. */
      keys: v.optional(
        v.pipe(v.array(v.strictObject({ id: v.string(), key: v.string() })), v.nonEmpty('must hold at least one key')),
      ),
    }),
    {},
  ),
  /** What is done with pictures unless the caller says otherwise. */
  media: v.optional(
    v.strictObject({
      /** Take the visible mark off. The invisible one and all metadata stay, always. */
      removeWatermark: v.optional(v.boolean(), false),
      /** Fetch the full-size file instead of the preview. */
      original: v.optional(v.boolean(), false),
      /** Threads for pixel work. */
      threads: v.optional(wholeFrom(1), 1),
    }),
    {},
  ),
  /** Where pictures and clips are kept for a while, to be fetched by URL. */
  mediaStore: v.optional(
    v.strictObject({
      kind: v.optional(v.picklist(['folder', 'memory', 's3']), 'folder'),
      ttlMs: v.optional(milliseconds, 86_400_000),
      maxTotalBytes: v.optional(v.pipe(v.number(), v.minValue(1)), 1_073_741_824),
      s3: v.optional(
        v.strictObject({
          endpoint: httpUrl,
          /** As Amazon wants it. */
          bucket: v.pipe(
            v.string(),
            v.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be 3 to 63 lower-case letters, digits, dots or dashes'),
          ),
          accessKeyId: v.string(),
          secretAccessKey: v.string(),
          region: v.optional(v.string()),
          style: v.optional(v.picklist(['path', 'virtual'])),
          prefix: v.optional(v.string()),
          /** `gateway` links go through this server; `bucket` links are presigned and go to the bucket. */
          links: v.optional(v.picklist(['gateway', 'bucket']), 'gateway'),
        }),
      ),
    }),
    {},
  ),
  /** Key of the operator, for `/api/accounts`, `/api/upstreams`, `/api/keys`, `/api/usage` and `/metrics`. Default: any of `apiKeys`. */
  adminKey: v.optional(v.pipe(v.string(), v.minLength(8, 'must be at least 8 characters long'))),
  /** How often callers may ask. `false` takes a limit away; a stored key may have limits of its own. */
  limits: v.optional(
    v.strictObject({
      /** Requests an hour over all callers. */
      perHour: v.optional(requests, 60),
      /** Time between two requests for one model, in milliseconds. */
      modelSpacingMs: v.optional(spacing, 5_000),
    }),
    {},
  ),
  /** When accounts are signed in to after the start, used or not; their tickets are renewed from then on. */
  renewal: v.optional(
    v.strictObject({
      /** Average wait before the first account, in milliseconds. */
      startAfterMs: v.optional(milliseconds, 15_000),
      /** Average distance between two accounts, in milliseconds. */
      spreadMs: v.optional(milliseconds, 2_000),
    }),
    {},
  ),
  /** Is sent what happens to accounts, as JSON without secrets. A user and password in it go as `Authorization`. */
  webhookUrl: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => readWebhookAddress(text) !== undefined, 'must be a URL that begins with http:// or https://'),
    ),
  ),
  /** Usage is kept for so many days. */
  usageDays: v.optional(wholeFrom(1), 90),
  /** How fast accounts may be used; it keeps them safe. `false` takes a limit away. */
  pacing: v.optional(
    v.strictObject({
      egressPerMinute: v.optional(ceiling, 8),
      perHour: v.optional(ceiling, 60),
      perDay: v.optional(ceiling, 500),
      /** Longest wait of a request for an account, in milliseconds. */
      waitMs: v.optional(milliseconds, 30_000),
    }),
    {},
  ),
  /** What `/` asks, unless `mounts` says otherwise. */
  defaultUpstream: v.optional(v.picklist(UPSTREAMS), 'gemini-web'),
  /** Paths and the upstreams behind them, asked in order. Default: the mounts of the reference documents. */
  mounts: v.optional(v.array(MountSchema)),
  /** The official Gemini API, with keys of the operator. */
  geminiApi: v.optional(
    v.strictObject({
      keys: v.optional(v.array(v.strictObject({ label, key: geminiApiKey, proxy: v.optional(ProxySchema) })), []),
      baseUrl: v.optional(httpUrl),
    }),
    {},
  ),
  /** Code Assist, with logins of the operator. Read README.md first: Google's terms do not allow it. */
  codeAssist: v.optional(
    v.strictObject({
      accounts: v.optional(
        v.array(
          v.strictObject({
            label,
            /** File with the login, as `castor login code-assist` or Gemini CLI writes it. */
            credentialsFile: v.string(),
            /** Google Cloud project; paid seats need one. */
            project: v.optional(v.string()),
            proxy: v.optional(ProxySchema),
          }),
        ),
        [],
      ),
      /** The OAuth client that made the logins. None is shipped. */
      clientId: v.optional(v.string()),
      clientSecret: v.optional(v.string()),
      baseUrl: v.optional(httpUrl),
      tokenUrl: v.optional(httpUrl),
      /** Other models to try when one has no quota. None unless written here. */
      fallback: v.optional(v.record(v.string(), v.array(v.string())), {}),
    }),
    {},
  ),
  deadlines: v.optional(
    v.strictObject({
      firstChunkMs: v.optional(milliseconds, 180_000),
      idleMs: v.optional(milliseconds, 120_000),
    }),
    {},
  ),
  /** Answers whose client lost its connection: a repeat of the request joins them. docs/decisions/006 has the rules. */
  delivery: v.optional(
    v.strictObject({
      enabled: v.optional(v.boolean(), true),
      /** How long an answer goes on without a reader where the client repeats by itself: agents, official SDKs. */
      agentGraceMs: v.optional(v.pipe(v.number(), v.minValue(0)), 5_000),
      /** The same for every other client. */
      graceMs: v.optional(v.pipe(v.number(), v.minValue(0)), 500),
      /** How long a finished answer waits for its client. */
      keepMs: v.optional(milliseconds, 120_000),
      /** Largest answer kept. */
      maxAnswerBytes: v.optional(v.pipe(v.number(), v.minValue(0)), 16 * 1024 * 1024),
      /** All of them together, per mount. */
      maxBytes: v.optional(v.pipe(v.number(), v.minValue(0)), 64 * 1024 * 1024),
    }),
    {},
  ),
  /** Remote files that callers name. */
  remoteFiles: v.optional(
    v.strictObject({
      /** Hosts on a private network that may be fetched all the same, as `host:port` or CIDR. */
      allowPrivate: v.optional(v.array(privateHost), []),
      /** Files pass in pieces and are never held whole, so this is a limit of patience, not of memory. */
      maxBytes: v.optional(v.pipe(v.number(), v.minValue(1_024)), 512 * 1024 * 1024),
      /** For the whole download. Ten seconds of silence end it earlier. */
      timeoutMs: v.optional(milliseconds, 300_000),
    }),
    {},
  ),
  log: v.optional(
    v.strictObject({
      level: v.optional(v.picklist(['trace', 'debug', 'info', 'warn', 'error', 'silent']), 'info'),
      /** `auto` is readable lines on a terminal and JSON elsewhere. */
      format: v.optional(v.picklist(['auto', 'json', 'text']), 'auto'),
    }),
    {},
  ),
})

export type Config = v.InferOutput<typeof ConfigSchema>
export type WebAccount = v.InferOutput<typeof WebAccountSchema>
