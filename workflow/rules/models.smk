# Several models in one study: the rules of study.smk once per model, named <member>_<rule>, and figures across models.
# A member is a study of its own, named <study>/<member>, with its own folder of results.


include: "common.smk"


MEMBERS = memloc_settings.members(SETTINGS)

for member, settings in MEMBERS.items():
    member_module, member_prefix = f"member {member}", f"{member}_"

    module:
        name:
            member_module
        snakefile:
            "study.smk"
        config:
            settings.model_dump(mode="json")

    use rule * from member_module exclude download_release as member_prefix*


def of_members(target):
    """Files that a target collects, of all members."""
    return [getattr(rules, f"{member}_{target}").input for member in MEMBERS]


rule figures:
    input:
        of_members("figures"),
    message:
        "All figures are drawn."


rule tables:
    input:
        of_members("tables"),
    message:
        "All tables are computed."


rule resources:
    input:
        of_members("resources"),
    message:
        "Everything that needs the network is here."
