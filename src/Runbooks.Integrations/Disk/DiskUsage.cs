using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Disk;

public sealed record DiskUsageParameters : MachineFolder
{
    [Required]
    [Description("When the percentage in use is bad: '> 85'.")]
    public required FailingWhen Failing { get; init; }
}

/// <summary>How full the disk is that a folder lies on.</summary>
internal sealed class DiskUsage(Machines machines) : Check<DiskUsageParameters>("disk.usage", "Holds how full the disk of a folder is against a threshold.")
{
    public override string Role => $"{VirtualMachine.Role}; none for the machine that this runs on";

    protected override async Task<CheckResult> AskAsync(DiskUsageParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var machine = machines.Find(parameters.Machine, context.Time);
        var space = await machine.SpaceAsync(parameters.Folder, cancellationToken);
        return Reading.Judge(
            parameters.Failing, space.Percent, "%", $" in use ({Size.Words(space.Size - space.Used)} free for {parameters.Folder} on {machine.Words})") with { Link = machine.Link };
    }
}
