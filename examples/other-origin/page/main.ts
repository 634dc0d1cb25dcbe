import { boats, client, signIn } from "./session.ts";

const status = document.getElementById("status");
const output = document.querySelector("output");

function write(element: Element | null, text: string) {
  if (element !== null) element.textContent = text;
}

function onClick(id: string, act: () => Promise<unknown>) {
  document.getElementById(id)?.addEventListener("click", async () => {
    write(output, "");
    const result = await act().catch(String);
    write(output, JSON.stringify(result));
  });
}

onClick("sign-in", signIn);
onClick("boats", boats);
onClick("sign-out", () => client.signOut());

const showStatus = () => write(status, client.state.status);
client.subscribe(showStatus);
showStatus();
