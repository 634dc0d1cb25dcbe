import { codeOf } from "../foreign-errors.ts";
import { securityHeaders } from "../http/security-headers.ts";
import { SHUTDOWN_RESERVE_MS } from "../limits.ts";
import { createNodeServer, type NodeServer } from "../node/server.ts";
import { createSessions, outageAtStart, type Sessions } from "../server/sessions.ts";
import { CommandError, EXIT, type ExitCode, type Invocation } from "./command.ts";
import type { Terminal } from "./terminal.ts";

const SIGNALS = { SIGTERM: 143, SIGINT: 130 } as const;
type Signal = keyof typeof SIGNALS;
const ORPHAN_CHECK_MS = 250;

/** `serve`: all endpoints on bare Node, until a signal stops it. @throws ConfigError, CommandError */
export async function serve({ terminal }: Invocation): Promise<ExitCode> {
  const sessions = createSessions({ env: terminal.env });
  try {
    await serveUntilStopped(sessions, terminal);
  } catch (error) {
    await sessions.close();
    throw error;
  }
  return EXIT.ok;
}

async function serveUntilStopped(sessions: Sessions, terminal: Terminal): Promise<void> {
  await start(sessions, terminal);
  const { host, port, publicUrl, shutdownTimeoutMs } = sessions.config;
  const server = createNodeServer({
    fetch: sessions.fetch,
    problem: sessions.handlers.problem,
    origin: publicUrl.origin,
    headers: securityHeaders(publicUrl),
  });
  await server.listen(port, host).catch((error) => {
    throw new CommandError(whyNotListening(error, host, port));
  });
  const stopped = stopOnSignal();
  terminal.note(`Serving ${publicUrl.origin} on ${host}, port ${port}. Ctrl-C stops it.`);
  const signal = await stopped;
  sessions.logger.info({ event: "stopping", signal });
  await stop(sessions, server, shutdownTimeoutMs);
}

/** Through an outage of the store it goes on: each request tries to start again. */
async function start(sessions: Sessions, terminal: Terminal): Promise<void> {
  try {
    await sessions.start();
  } catch (error) {
    const outage = outageAtStart(error);
    if (outage === null) throw error;
    terminal.note(outage);
  }
}

/**
 * Resolves with the first signal. The next one ends the process at once. npx runs a command through a shell that passes no
 * signal on: what the end of npx shows here is another parent.
 */
function stopOnSignal(): Promise<Signal> {
  return new Promise((resolve) => {
    const parent = process.ppid;
    if (process.env.npm_lifecycle_event !== undefined) {
      const watch = setInterval(() => {
        if (process.ppid === parent) return;
        clearInterval(watch);
        resolve("SIGTERM");
      }, ORPHAN_CHECK_MS);
      watch.unref();
    }
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        for (const next of ["SIGTERM", "SIGINT"] as const) {
          process.removeAllListeners(next).once(next, () => process.exit(SIGNALS[next]));
        }
        resolve(signal);
      });
    }
  });
}

async function stop(sessions: Sessions, server: NodeServer, withinMs: number): Promise<void> {
  const { logger, handlers } = sessions;
  // Whatever is not done by then, a store that does not let go of its connections included.
  const limit = setTimeout(() => process.exit(EXIT.ok), withinMs);
  const ended = server.stop(Math.max(withinMs - SHUTDOWN_RESERVE_MS, withinMs / 2));
  handlers.closeEventStreams();
  if (!(await ended)) logger.warn({ event: "stop_cut_off", note: "some answers were not out in time" });
  await sessions.close();
  clearTimeout(limit);
  logger.info({ event: "stopped" });
}

function whyNotListening(error: unknown, host: string, port: number): string {
  const code = codeOf(error);
  if (code === "EADDRINUSE") return `Port ${port} on ${host} is taken. Set PORT to another one.`;
  return `Cannot listen on HOST ${host}, PORT ${port}: ${code}.`;
}
