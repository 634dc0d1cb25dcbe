import { EXIT, type ExitCode, type Invocation } from "./command.ts";
import type { Finding } from "./doctor/check.ts";
import { networkFindings } from "./doctor/network.ts";
import { settingsFindings } from "./doctor/settings.ts";
import { storeFindings } from "./doctor/store.ts";
import type { Terminal } from "./terminal.ts";

/** `doctor`: looks at everything that a server stands on, says what is wrong and what to do. Changes nothing. */
export async function doctor({ terminal, options }: Invocation): Promise<ExitCode> {
  const json = options.json === true;
  const all: Finding[] = [];
  const tell = (findings: readonly Finding[]) => {
    all.push(...findings);
    if (!json) for (const finding of findings) print(terminal, finding);
  };
  const { config, findings } = settingsFindings(terminal);
  tell(findings);
  if (config !== null) {
    tell(await storeFindings(terminal, config));
    tell(await networkFindings(config));
  }
  const failed = count(all, "fail");
  if (json) terminal.out(JSON.stringify({ ok: failed === 0, checks: all }));
  else {
    terminal.out("");
    terminal.out(`${count(all, "ok")} ok, ${count(all, "warn")} to look at, ${failed} failed.`);
    if (config === null) terminal.out("The other checks need settings that can be used.");
  }
  return failed === 0 ? EXIT.ok : EXIT.failed;
}

function count(findings: readonly Finding[], status: Finding["status"]): number {
  return findings.filter((finding) => finding.status === status).length;
}

function print(terminal: Terminal, { check, status, detail, advice }: Finding): void {
  terminal.out(`${status.padEnd(4)}  ${check.padEnd(12)}  ${detail}`);
  if (advice !== null) terminal.out(`${" ".repeat(20)}${advice}`);
}
