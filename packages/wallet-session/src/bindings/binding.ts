/**
 * What a session is bound to, as its row says it (`SessionRecord.binding`):
 *
 * - `dpop:THUMBPRINT`: a DPoP key (RFC 9449), proved at each refresh and each guarded request;
 * - `dpop-refresh:THUMBPRINT`: the same, proved at each refresh alone, for gateways that know no DPoP;
 * - `device:GENERATION:KEY`: a device key (DBSC), 33 bytes in base64url. Tokens up to the generation were handed out while the
 *   session was bound to none.
 */
export type Binding =
  | { readonly kind: "dpop"; readonly thumbprint: string; readonly refreshOnly: boolean }
  | { readonly kind: "device"; readonly key: string; readonly unboundUpTo: number };

const DPOP = /^(dpop|dpop-refresh):([A-Za-z0-9_-]{43})$/;
const DEVICE = /^device:(\d{1,10}):([A-Za-z0-9_-]{44})$/;

export function writeBinding(binding: Binding): string {
  switch (binding.kind) {
    case "dpop":
      return `${binding.refreshOnly ? "dpop-refresh" : "dpop"}:${binding.thumbprint}`;
    case "device":
      return `device:${binding.unboundUpTo}:${binding.key}`;
  }
}

/**
 * The binding of a row. A text that is none is of a newer version, which this one cannot verify.
 * @throws Error for such a text: nobody may pass who might have to prove something
 */
export function readBinding(text: string | null): Binding | null {
  if (text === null) return null;
  const [, scope, thumbprint] = DPOP.exec(text) ?? [];
  if (thumbprint !== undefined) return { kind: "dpop", thumbprint, refreshOnly: scope === "dpop-refresh" };
  const [, generation, key] = DEVICE.exec(text) ?? [];
  if (key !== undefined) return { kind: "device", key, unboundUpTo: Number(generation) };
  throw new Error("The session is bound to a key of a kind that is not known here.");
}

/** The thumbprint that access tokens of the session name in `cnf` (RFC 9449, §6.1); null where they name none. */
export function confirmedThumbprint(text: string | null): string | null {
  const binding = readBinding(text);
  return binding?.kind === "dpop" && !binding.refreshOnly ? binding.thumbprint : null;
}
