namespace Runbooks.Integrations.Disk;

public sealed record DiskUsageParameters : MachineFolder
{
    [Required]
    [Description("When the percentage in use, as `df` counts it, is bad: '> 85'.")]
    public required FailingWhen Failing { get; init; }
}

/// <summary>How full the disk is that a folder lies on.</summary>
internal sealed class DiskUsage(Machines machines) : Check<DiskUsageParameters>("disk.usage", "Holds how full the disk of a folder is against a threshold.")
{
    public override string Role => $"{VirtualMachine.Roles}; none for the machine that this runs on";

    /// <summary>A script on a virtual machine takes 20 seconds and more, and may have to wait for another one.</summary>
    public override TimeSpan UsualTimeout => TimeSpan.FromMinutes(2);

    public override IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with) =>
        WithText.Failing(with) is { } failing && KnownRange.Percent.WarningOf(failing, "a disk's use") is { } doubt ? [doubt] : [];

    protected override async Task<CheckResult> AskAsync(DiskUsageParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var machine = machines.Find(parameters.Machine, context);
        var space = await machine.SpaceAsync(parameters.Folder, cancellationToken);
        if (space.Percent is not { } percent)
        {
            return CheckResult.Unknown($"{parameters.Folder} on {machine.DisplayName} lies on no disk: there is no room that could be used.") with { Threshold = parameters.Failing.ToString(), Link = machine.Link };
        }

        // A disk that is not mounted leaves its folder on the one above: then the figure is of another disk than is meant.
        var mount = space.Mount is null || space.Mount == parameters.Folder ? "" : $", which lies on the disk mounted at {space.Mount}";
        return Measurement.Judge(
            parameters.Failing, percent, "%", $" in use ({Size.FormatBytes(space.Available)} free for {parameters.Folder} on {machine.DisplayName}{mount})") with { Link = machine.Link };
    }
}

/// <summary>Section <c>Disk</c>.</summary>
public sealed class DiskOptions : IValidatableObject
{
    public const string SectionName = "Disk";

    /// <summary>Folders, with all that is below them, in which old files may be deleted: <c>/tmp</c> and <c>/var/tmp</c> where none is named, and these no longer once one is. Nothing is deleted elsewhere.</summary>
    public IList<string> AllowedFolders { get; } = [];

    /// <summary>
    /// Whether files of the machine that this runs on may be deleted, where a step names no other. Never in practice. Where several
    /// processes may share the record (the Functions app, <c>--storage azure</c>) it is false unless it is set: any of them may run a step.
    /// </summary>
    public bool ThisMachine { get; set; } = true;

    /// <summary>No file that is younger is ever deleted, whatever a runbook says.</summary>
    [Range(typeof(TimeSpan), "00:10:00", "365.00:00:00")]
    public TimeSpan YoungestAge { get; set; } = TimeSpan.FromHours(1);

    internal IReadOnlyList<string> Folders => AllowedFolders.Count > 0 ? [.. AllowedFolders] : ["/tmp", "/var/tmp"];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => AllowedFolders
        .Where(folder => !TempFolder.IsPath(folder))
        .Select(folder => new ValidationResult($"{SectionName}:AllowedFolders holds '{folder}': it must be an absolute path of letters, digits, and / . _ -, and not the root."));
}
