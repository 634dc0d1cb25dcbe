// OpenAuth's issuer with the storage of its documents that is kept in a file. A provider of its own signs in at once.
import { issuer } from "@openauthjs/openauth";
import { MemoryStorage } from "@openauthjs/openauth/storage/memory";
import { createSubjects } from "@openauthjs/openauth/subject";
import { path, serve, url, webHandler } from "./serve.mjs";

const anything = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
const redirectUri = "https://app.example.com/callback";

const app = issuer({
  storage: MemoryStorage({ persist: path("openauth.json") }),
  subjects: createSubjects({ user: anything }),
  allow: async () => true,
  ttl: { access: 600, refresh: 20, reuse: 3, retention: 60 },
  providers: {
    anybody: {
      type: "anybody",
      init(routes, context) {
        routes.get("/authorize", (c) => context.success(c, { id: crypto.randomUUID() }));
      },
    },
  },
  success: (context, { id }) => context.subject("user", { id }),
});

async function signIn() {
  const query = new URLSearchParams({
    client_id: "app",
    redirect_uri: redirectUri,
    response_type: "code",
    provider: "anybody",
  });
  const started = await app.request(`${url}/authorize?${query}`);
  const back = await app.request(new URL(started.headers.get("location"), url).href, {
    headers: { cookie: started.headers.getSetCookie().join("; ") },
  });
  const code = new URL(back.headers.get("location")).searchParams.get("code");
  const answer = await app.request(`${url}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: "app",
      code,
      redirect_uri: redirectUri,
    }),
  });
  return { status: answer.status, body: await answer.json() };
}

serve(
  { "/test/sign-in": signIn },
  webHandler((request) => app.fetch(request)),
);
