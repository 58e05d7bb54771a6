"""Makes Hydra find the choices of the user's own folders (`sweeps.own`)."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class OwnFolders(SearchPathPlugin):
    """Appends `conf/` of each folder, so that `arch=NAME` may be a file there."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        from sweeps.own import folders

        for folder in folders():
            search_path.append("own", f"file://{folder / 'conf'}")
