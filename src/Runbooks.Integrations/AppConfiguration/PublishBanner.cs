using System.Text.Json;
using Runbooks.Steps;

namespace Runbooks.Integrations.AppConfiguration;

/// <summary>Shows users a status banner through a key that the web page reads, and takes it back.</summary>
internal sealed class PublishBanner(AppConfigurationClient client)
    : RunbookAction<PublishBannerParameters>("banner.publish", "Shows users a status banner: a JSON value under a key of Azure App Configuration that the web page reads.")
{
    public override string Role => AppConfigurationClient.Role;

    public override bool Reversible => true;

    protected override async Task<Preparation> PrepareAsync(PublishBannerParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        if (context.Interrupted is not null)
        {
            return context.Interrupted;
        }

        var address = client.Address(parameters.Store, parameters.Key, parameters.Label);
        var now = await client.ReadAsync(address, cancellationToken);
        // The same words for the whole incident: a time in here would make every preparation another plan.
        var banner = JsonSerializer.Serialize(new
        {
            message = parameters.Message,
            severity = JsonNamingPolicy.CamelCase.ConvertName(parameters.Severity.ToString()),
            incident = context.IncidentId,
        });
        return new Preparation
        {
            Will = $"Show users the banner “{parameters.Message}” through {address}{(now is null ? "" : ", in place of the one that is there")}.",
            Identity = now?.ETag ?? "absent",
            Undo = now is null ? "Take the banner away." : "Bring the previous banner back.",
            UndoState = new SettingChange(address, now?.Value, now?.ContentType, banner, "application/json").ToState(),
        };
    }

    protected override async Task<ActionResult> ApplyAsync(
        PublishBannerParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var change = SettingChange.From((context.Interrupted ?? preparation).UndoState!.Value);
        await change.ApplyAsync(client, cancellationToken);
        return new ActionResult($"Users see the banner “{parameters.Message}”.");
    }

    public override async Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        new(await SettingChange.From(undoState).UndoAsync(client, cancellationToken));
}
