const DOMAIN_MAX_CHARS = 64;
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/** The last label starts with a letter: else `127.1` and `0x7f.0x1` would be names, which resolvers read as addresses. */
const DOMAIN = new RegExp(`^(?:${LABEL}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$`, "i");

/**
 * Whether a text is a fully qualified host name (RFC 1123) and nothing else: no port, path, credentials, trailing dot
 * or IP address. At most 64 characters, since it must fit a data entry's value.
 */
export function isDomainName(text: string): boolean {
  return text.length <= DOMAIN_MAX_CHARS && DOMAIN.test(text);
}
