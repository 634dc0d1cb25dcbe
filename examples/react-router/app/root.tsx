import { useEffect } from "react";
import { Links, Meta, Outlet, Scripts } from "react-router";
import { session } from "./session";

export default function Root() {
  // Renews in the background, as long as a page is open.
  useEffect(() => session.start(), []);
  return (
    <html lang="en">
      <head>
        <title>Example</title>
        <link rel="icon" href="data:," />
        <Meta />
        <Links />
      </head>
      <body>
        <Outlet />
        <Scripts />
      </body>
    </html>
  );
}
