/** Google's sign-in for installed apps. Source: `code-assist.md` section 2; ordinary public endpoints. */
export const AUTHORIZE_URL = 'https://accounts.google.com/o/oauth2/v2/auth'
export const TOKEN_URL = 'https://oauth2.googleapis.com/token'

/** Where Google shows the code to users whose browser cannot reach this machine. */
export const PASTE_REDIRECT_URI = 'https://codeassist.google.com/authcode'

export const SCOPES = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/userinfo.email',
  'https://www.googleapis.com/auth/userinfo.profile',
]

/** The operator's own OAuth client. Castor ships none. */
export interface OAuthClient {
  clientId: string
  clientSecret: string
}
