import { Link, useLoaderData } from "react-router";
import { sessions } from "./sessions.server";

export async function loader({ request }: { request: Request }) {
  const who = await sessions.handlers.guardPage(request, { signInPath: "/sign-in" });
  // Through the refresh endpoint and back, or to the sign-in page.
  if (who instanceof Response) throw who;
  return { actorId: who.actorId };
}

export default function Account() {
  const { actorId } = useLoaderData<typeof loader>();
  return (
    <>
      <h1>{actorId}</h1>
      <Link to="/">Home</Link>
    </>
  );
}
