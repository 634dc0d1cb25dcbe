/** Runs once when the server starts: what cannot work is said at once, not at the first request. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { sessions } = await import("./app/lib/auth.ts");
  const { setSecurityHeaders } = await import("./app/lib/http/security-headers.ts");
  const { startApp } = await import("./app/lib/start.ts");
  const { stopOnSignal } = await import("./app/lib/stop.ts");
  stopOnSignal();
  await startApp();
  setSecurityHeaders(sessions.config.publicUrl);
}
