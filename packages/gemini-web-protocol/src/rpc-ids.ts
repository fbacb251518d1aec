/**
 * Ids of the calls that `batchexecute` carries. Data, because Google renames them without notice:
 * pass another id where a payload is sent and nothing else has to change.
 * Source: fact sheet §6.2; the letter is its confidence.
 */
export const RPC = {
  /** Account status and model discovery. [S] */
  status: 'otAQ7b',
  /** [S] */
  listChats: 'MaZiqc',
  /** [S] */
  readChat: 'hNvQHb',
  /** Step 1 of deleting a chat. [S] */
  deleteChat: 'GzXR5e',
  /** Step 2 of deleting a chat. [M] */
  deleteChatFollowUp: 'qWymEb',
  /** [S] */
  listGems: 'CNgdBe',
  /** [S] */
  createGem: 'oMH3Zd',
  /** [M] */
  updateGem: 'kHv0Vd',
  /** [M] */
  deleteGem: 'UXcSJb',
  /** [M] */
  readPreferences: 'ESY5D',
  /** [W] */
  writePreferences: 'L5adhe',
  /** [M] */
  toolBootstrap: 'ku4Jyf',
  /** Quota per feature and action. [M] */
  featureQuota: 'qpEbW',
  /** Overall usage window. [M] */
  usage: 'aPya6c',
  /** [M] */
  acknowledgeTurn: 'PCck7e',
  /** Status of a video or research job. [M] */
  job: 'kwDCne',
  /** Base URL of an original image. [M] */
  originalImage: 'c8o8Fe',
  /** [W] */
  chatMetadata: 'MUAZcd',
  /** [W] */
  readTurn: 'EqPOKe',
  /** [W] */
  markRead: 'k81mDb',
  /** [W] */
  library: 'jGArJ',
  /** [W] */
  uploadLimits: 'mhs1xe',
  /** [W] */
  expandMediaPrompt: 'Pty9pd',
  /** [W] */
  readAloud: 'XqA3Ic',
  /** [W] */
  profile: 'o30O0e',
  /** [M] */
  place: 'K4WWud',
  /** Tools of the account. [W] */
  tools: 'cYRIkd',
  /** Catalogue of extensions. [W] */
  extensions: 'uPDUsc',
  /** [W] */
  featureSwitches: 'MyzX6c',
  /** [W] */
  pictureIdeas: 'V8rlHe',
  /** [W] */
  pictureTemplates: 'XhaU0b',
  /** Gives a guest its cookies. [M] */
  guestStart: 'maGuAc',
} as const

export type RpcName = keyof typeof RPC

/** Calls of the page that no client needs; the emulator answers them with an empty list. Source: fact sheet §6.2 [W]. */
export const IGNORED_RPC_IDS: ReadonlySet<string> = new Set([
  'sJBwce',
  'Te6DCf',
  'Bsxleb',
  'Ub3MPb',
  'VxUbXb',
  'GPRiHf',
  'ozz5Z',
  'dI8W6e',
  'TFNzk',
])

/** Every id that is answered with 200; any other one is HTTP 400. */
export const KNOWN_RPC_IDS: ReadonlySet<string> = new Set([...Object.values(RPC), ...IGNORED_RPC_IDS])
