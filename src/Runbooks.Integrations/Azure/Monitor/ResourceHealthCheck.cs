namespace Runbooks.Integrations.Azure.Monitor;

public sealed record ResourceHealthParameters
{
    [Required, ArmResourceId]
    [Description("The resource.")]
    public required string Resource { get; init; }

    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    [Description("A resource that Azure calls available counts as unknown when Azure looked at it longer ago "
        + "than this, or does not say when.")]
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromHours(1);
}

/// <summary>
/// Asks Azure whether it sees a problem of its own with a resource. <c>reportedTime</c> is when Azure last looked and
/// <c>occuredTime</c> when the state last changed, so only the first says how old an answer is.
/// </summary>
/// <seealso href="https://learn.microsoft.com/rest/api/resourcehealth/availability-statuses/get-by-resource"/>
internal sealed class ResourceHealthCheck(ArmResources arm)
    : Check<ResourceHealthParameters>(
        "resourceHealth",
        "Asks Azure Resource Health whether the platform itself has a problem with a resource. "
            + "Of one that its owner has stopped nothing is known.")
{
    public override string Role => "Reader";

    protected override async Task<CheckResult> AskAsync(
        ResourceHealthParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = new ArmTarget(parameters.Resource, "2023-10-01-preview", Role);
        var health = await arm.GetAsync(
            target with { Id = $"{target.Id}/providers/Microsoft.ResourceHealth/availabilityStatuses/current" }, cancellationToken);
        var state = health.Text("availabilityState") ?? "Unknown";
        var why = health.Text("summary") ?? health.Text("reasonType");
        var lookedAt = DateTimeOffset.TryParse(
            health.Text("reportedTime"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : (DateTimeOffset?)null;
        var looked = context.Time.GetUtcNow() - lookedAt;
        var isOld = state == "Available" && !(looked <= parameters.MaxAge);
        var isOurs = state is "Unavailable" or "Degraded" && s_reasons.Any(reason => IsOurs(health.Text(reason)));
        var verdict = state switch
        {
            "Available" => isOld ? Verdict.Unknown : Verdict.Passing,
            "Unavailable" or "Degraded" when !isOurs => Verdict.Failing,
            _ => Verdict.Unknown,
        };
        var reasonText = why is null ? "." : $": {why}";
        var ownerText = isOurs ? " Its owner brought that about, for example by stopping it, so it says nothing of the platform." : "";
        var whenText = looked is { } age ? $"looked {Measurement.Age(age)} ago" : "does not say when it looked";
        var oldText = isOld ? $" It {whenText}, so how it is now is not known." : "";
        return new CheckResult(verdict, $"Azure says that {target.DisplayName} is {Describe(state)}{reasonText}{ownerText}{oldText}")
        {
            Value = state,
            Threshold = "not Available",
            Link = $"{target.PortalLink}/resourceHealth",
            MeasuredAt = lookedAt,
        };
    }

    // The API has it in three places, as one word or as two: UserInitiated, Customer Initiated.
    private static readonly string[] s_reasons = ["reasonType", "context", "healthEventCause"];

    private static bool IsOurs(string? reason) =>
        reason?.Replace(" ", "", StringComparison.Ordinal) is { } word
            && (word.Equals("UserInitiated", StringComparison.OrdinalIgnoreCase)
                || word.Equals("CustomerInitiated", StringComparison.OrdinalIgnoreCase));

    private static string Describe(string state) => state switch
    {
        "Available" => "available",
        "Unavailable" => "unavailable",
        "Degraded" => "degraded",
        _ => "of unknown health",
    };
}
