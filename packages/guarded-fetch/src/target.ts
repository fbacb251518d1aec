import { isGenerationError } from '@castorjs/content-generator'
import type { AddressPolicy } from './address-policy.ts'
import { isLocalName, readLiteral } from './address-policy.ts'
import { refuse } from './refusal.ts'

/** Addresses of a host name, IPv4 or IPv6, in any order. Throws or gives none when there is no such host. */
export type ResolveHost = (hostname: string) => Promise<readonly string[]>

export interface CheckUrlOptions {
  fileUri: string
  allowHttp: boolean
  /** Where a redirect came from. */
  base?: URL
}

/** Parses a URL and checks all of it but the address. */
export function checkUrl(text: string, { fileUri, allowHttp, base }: CheckUrlOptions): URL {
  const what = base === undefined ? 'The file URL' : `The redirect of ${base.host}`
  if (!URL.canParse(text, base)) throw refuse(fileUri, `${what} is not a valid URL. Use an https URL or a data: URL.`)
  const url = new URL(text, base)
  const schemes = allowHttp ? ['https:', 'http:'] : ['https:']
  if (!schemes.includes(url.protocol)) {
    throw refuse(
      fileUri,
      `${what} has the scheme ${url.protocol} but only ${allowHttp ? 'https and http are' : 'https is'} fetched.`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse(
      fileUri,
      `${what} holds a user name or password. Use a URL that works without them, or send the data itself.`,
    )
  }
  url.hash = ''
  return url
}

export interface ResolveTargetOptions {
  fileUri: string
  policy: AddressPolicy
  resolve: ResolveHost | undefined
}

/**
 * The addresses that the host of a URL may be reached at, each checked. Nothing when the host is written as an
 * address (which is checked too) or when there is nobody to ask.
 */
export async function resolveTarget(
  url: URL,
  { fileUri, policy, resolve }: ResolveTargetOptions,
): Promise<readonly string[] | undefined> {
  const { hostname } = url
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  const named = policy.allowsHost(hostname, port)
  const literal = readLiteral(hostname)
  if (literal !== undefined) {
    if (!named && !policy.allowsAddress(literal)) throw refusePrivate(fileUri, url.host)
    return undefined
  }
  if (resolve === undefined) {
    if (!named && isLocalName(hostname)) throw refusePrivate(fileUri, url.host)
    return undefined
  }
  const addresses = await resolveOrRefuse(resolve, url, fileUri)
  // One private address among public ones is how a rebinding host looks.
  if (!named && !addresses.every((address) => policy.allowsAddress(address))) throw refusePrivate(fileUri, url.host)
  return addresses
}

async function resolveOrRefuse(resolve: ResolveHost, url: URL, fileUri: string): Promise<readonly string[]> {
  try {
    const addresses = await resolve(url.hostname)
    if (addresses.length > 0) return addresses
  } catch (error) {
    if (isGenerationError(error)) throw error
  }
  throw refuse(fileUri, `The host ${url.host} cannot be found. Check the URL, or send the data itself.`)
}

/** Does not say which address it was: what names mean inside this network is not the caller's to learn. */
function refusePrivate(fileUri: string, host: string): Error {
  const remedy = 'Use a public URL, send the data itself, or ask the operator to allow this host.'
  return refuse(fileUri, `${host} is not a public address, so the file is not fetched. ${remedy}`)
}
