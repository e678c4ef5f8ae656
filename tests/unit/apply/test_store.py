"""Records in files: whole or not at all, and by the cluster's ARN."""

from pathlib import Path

import pytest

from governor.apply import FileRecords
from governor.errors import PermanentError, TransientError
from governor.plan import ABSENT, Approved, Begun, Desired, Owned, Record
from governor.policy import ClusterPolicy, PriorityClass, Sharing, Team
from governor.quota import Partition, QuotaEntry

ARN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/abcdefghijkl"
OTHER = "arn:aws:sagemaker:eu-west-1:123456789012:cluster/abcdefghijkl"


def record(arn: str = ARN) -> Record:
    team = Team(
        "a",
        (QuotaEntry("ml.p4d.24xlarge", partition=Partition("mig-1g.5gb", 2)), QuotaEntry("ml.m5.large", v_cpu=1.5)),
        sharing=Sharing("LendAndBorrow", 50, (QuotaEntry("ml.m5.large", count=1),)),
    )
    desired = Desired((team,), ClusterPolicy((PriorityClass("x", 1),), "Enabled"))
    return Record(
        arn,
        "ml-research",
        desired=desired,
        quotas=(Owned("a-quota", "a", "abcdefghijkl"), Owned("b-quota", "b")),
        cluster_policies=(Owned("cluster-policy", id="abcdefghijkl"),),
        recreated={"a-quota": "d"},
        approved=Approved("d", ("x",)),
        begun=Begun("d", ((("ml.m5.large", "vCPU"), "1/2"),)),
    )


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    records = FileRecords(tmp_path / "not" / "there" / "yet")
    records.save(record())

    assert records.load(ARN) == record()
    assert records.load(OTHER) is None
    assert (tmp_path / "not" / "there" / "yet").stat().st_mode & 0o077 == 0


def test_a_removed_policys_record_is_loaded_too(tmp_path: Path) -> None:
    FileRecords(tmp_path).save(Record(ARN, "c", desired=Desired((), ABSENT)))

    assert FileRecords(tmp_path).load(ARN) == Record(ARN, "c", desired=Desired((), ABSENT))


def test_a_save_that_fails_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = FileRecords(tmp_path)
    records.save(record())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(PermanentError, match=r"cannot be written: .*No space left"):
        records.save(Record(ARN, "changed"))

    assert records.load(ARN) == record()
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    records, others = FileRecords(tmp_path), FileRecords(tmp_path)

    with records.writing(ARN):
        with pytest.raises(TransientError, match="another process is applying"), others.writing(ARN):
            pass
        with others.writing(OTHER):
            pass
    with others.writing(ARN):
        pass


def test_a_directory_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(PermanentError, match="set GOVERNOR_STATE_DIR"):
        FileRecords(tmp_path / "file" / "records").save(record())
