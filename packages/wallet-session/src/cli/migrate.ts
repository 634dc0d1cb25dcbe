import { schemaOf } from "../server/open-store.ts";
import { CommandError, EXIT, type ExitCode, type Invocation } from "./command.ts";
import { storeSettings } from "./settings.ts";

/** `migrate`: brings the schema of the database up to date; with --print, shows the SQL that would and changes nothing. */
export async function migrate({ terminal, options }: Invocation): Promise<ExitCode> {
  const { databaseUrl } = storeSettings(terminal);
  const json = options.json === true;
  const schema = schemaOf(databaseUrl);
  if (schema === null) {
    terminal.out(json ? '{"from":null,"to":null}' : `${databaseUrl.kind} has no schema: nothing to do.`);
    return EXIT.ok;
  }
  const { version, known, pending } = await schema.state();
  if (version > known) {
    throw new CommandError(
      `The schema has version ${version}, and this version of wallet-session knows ${known}. Nothing was changed.`,
    );
  }
  if (options.print === true) {
    if (json) terminal.out(JSON.stringify({ from: version, to: known, sql: pending }));
    else for (const line of printed(version, known, pending)) terminal.out(line);
    return EXIT.ok;
  }
  const { from, to } = await schema.migrate();
  terminal.out(json ? JSON.stringify({ from, to }) : inWords(from, to));
  return EXIT.ok;
}

function inWords(from: number, to: number): string {
  if (from === to) return `The schema is up to date: version ${to}.`;
  return from === 0
    ? `The schema was made: version ${to}.`
    : `The schema was brought from version ${from} to ${to}.`;
}

function printed(version: number, known: number, pending: readonly string[]): string[] {
  if (pending.length === 0) return [`-- The schema is up to date: version ${known}.`];
  return pending.flatMap((sql, index) => [`-- To version ${version + index + 1}.`, sql.trim()]);
}
