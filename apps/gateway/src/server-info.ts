/** What `/api/info` says. */
export interface ServerInfo {
  name: 'castor'
  version: string
  /** True when everything upstream is the local emulator and no Google account is involved. */
  demo: boolean
  startedAt: string
  mounts: { path: string; upstream: string; description: string }[]
}
