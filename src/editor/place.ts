/** Parts that are fetched later are where this module came from: Grafana may be served below a path, and plugins from another host. */
import { uri } from 'amd-module';

declare let __webpack_public_path__: string;

if (uri) __webpack_public_path__ = uri.slice(0, uri.lastIndexOf('/') + 1);
