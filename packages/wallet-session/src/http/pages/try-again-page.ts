import { STORE_RETRY_AFTER_SECONDS } from "../../limits.ts";

/**
 * The problem as a page, for a person whose page load met it: says that nothing is lost and loads itself again by itself,
 * without a script. Keeps status and Retry-After. A refusal that repeating does not mend stays the problem that it is.
 */
export function withTryAgainPage(problem: Response): Response {
  if (problem.status < 500 && problem.status !== 429) return problem;
  const headers = new Headers(problem.headers);
  const seconds = Number(headers.get("Retry-After") ?? STORE_RETRY_AFTER_SECONDS);
  headers.set("Retry-After", String(seconds));
  headers.set("Content-Type", "text/html; charset=utf-8");
  headers.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  return new Response(page(seconds), { status: problem.status, headers });
}

/** Says nothing of the request or of the fault. */
function page(seconds: number): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="${seconds}">
<title>One moment</title>
<style>
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1.25rem }
</style>
<h1>One moment</h1>
<p>The service cannot answer right now. Nothing is lost: if you were signed in, you still are.</p>
<p>This page tries again by itself. <a href="">Try now</a></p>
</html>
`;
}
