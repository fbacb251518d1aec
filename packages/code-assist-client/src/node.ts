export { signInWithBrowser, type BrowserSignInOptions } from './node/browser-sign-in.ts'
export { createTokenFile, type TokenFile } from './node/token-file.ts'
