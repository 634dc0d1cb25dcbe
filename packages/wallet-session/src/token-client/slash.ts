/**
 * Sends a request to a server that may redirect each path to the one with a slash at its end, as Next does with
 * `trailingSlash`, and from then on asks for that path at once. Such an answer comes before any effect. `send` must not follow
 * redirects itself (`redirect: "manual"`): another one would take the refresh token elsewhere.
 */
export function slashFinder() {
  let end = "";
  return async (url: string, send: (url: string) => Promise<Response>): Promise<Response> => {
    const ask = () => send(url.replace(/(?=\?|$)/, end));
    const response = await ask();
    // Browsers do not show where it leads, nor that it is a 308.
    if (response.type !== "opaqueredirect" && response.status !== 308) return response;
    end = end === "" ? "/" : "";
    return ask();
  };
}
