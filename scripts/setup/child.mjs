// @ts-check
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { basename } from "node:path";

const ORPHAN_CHECK_MS = 250;

/** @typedef {{ command: string, args: string[], cwd?: string, env?: NodeJS.ProcessEnv }} Command */

/**
 * Runs a command in the foreground: it shares this terminal, gets the signals this process gets, and its exit
 * code is the answer (128 + n where signal n ended it, as shells say it).
 *
 * @param {Command} command
 * @returns {Promise<number>}
 */
export function runInForeground({ command, args, cwd, env }) {
  const child = spawn(command, args, { stdio: "inherit", ...(cwd && { cwd }), ...(env && { env }) });
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // A terminal has already sent its Ctrl-C to the whole group; a second one would cut the child's clean exit short.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  };
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  const stopWatching = whenOrphaned(() => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      stopWatching();
      for (const name of signals) process.off(name, forward);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/**
 * npm runs a script through a shell that passes no signal on: stop npm, and the shell dies alone while a server would
 * keep its port for ever. What its death does show is a new parent.
 *
 * @param {() => void} stop
 * @returns {() => void} ends the watch
 */
function whenOrphaned(stop) {
  if (!process.env.npm_lifecycle_event) return () => {};
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, ORPHAN_CHECK_MS);
  return () => clearInterval(timer);
}

/**
 * Runs a command and keeps what it prints, for the caller to show if it fails.
 *
 * @param {Command} command
 * @returns {Promise<{ code: number, output: string }>}
 */
export function runQuietly({ command, args, cwd, env }) {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd && { cwd }),
    ...(env && { env }),
  });
  /** @type {Buffer[]} */
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  child.stderr.on("data", (chunk) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") }),
    );
  });
}

/**
 * A command of npm's: the npm that started this process, on the Node it runs on itself, or else the one in the PATH.
 *
 * @param {string[]} args
 * @returns {Command}
 */
export function npm(...args) {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  if (cli && node && basename(cli) === "npm-cli.js") return { command: node, args: [cli, ...args] };
  return { command: process.platform === "win32" ? "npm.cmd" : "npm", args };
}
