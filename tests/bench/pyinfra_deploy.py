"""The 50 tasks of ansible.yml as pyinfra has them."""

from pyinfra import host
from pyinfra.operations import files, server

ROOT = "/srv/bench"

for number in range(1, 11):
    folder = f"{ROOT}/{number}"
    files.directory(name=f"Folder {number}", path=folder, mode="755")
    files.put(
        name=f"File {number}",
        src="files/node.toml",
        dest=f"{folder}/node.toml",
        mode="644",
        create_remote_dir=False,
    )
    files.template(
        name=f"Template {number}",
        src="templates/settings.conf.j2",
        dest=f"{folder}/settings.conf",
        mode="644",
        create_remote_dir=False,
        inventory_hostname=host.name,
        number=number,
        root=ROOT,
    )
    files.line(name=f"Line {number}", path=f"{folder}/lines", line=f"bootnode number {number}")
    server.shell(name=f"Command {number}", commands=[f"echo ran >> {folder}/log"])
