// One primary that hands out connections, and as many workers as there are cores.
import cluster from "node:cluster";

import { makeProvider } from "./provider.mjs";

if (cluster.isPrimary) {
  cluster.on("exit", () => process.exit(1));
  for (let worker = 0; worker < Number(process.env.CORES); worker += 1) cluster.fork();
} else {
  const provider = await makeProvider(process.env.ORIGIN);
  provider.listen(Number(new URL(process.env.ORIGIN).port), "127.0.0.1");
}
