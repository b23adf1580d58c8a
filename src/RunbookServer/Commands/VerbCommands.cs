namespace RunbookServer.Commands;

internal static class VerbCommands
{
    private const string Who = "Who does it, by their name in the contacts; the user of this machine unless named.";

    public static Command BuildStop() => Build(
        "stop",
        "cancel",
        "Stops the automation of an incident before its next step and takes back what can be taken back; "
        + "in the resolution, what the mitigation changed stays.");

    public static Command BuildAcknowledge() => Build(
        "acknowledge",
        "acknowledge",
        "Says that you are looking after an ended incident that needs a person.",
        needed: false,
        field: "note");

    public static Command BuildTakeBack() =>
        Build("take-back", "take-back", "Takes back now what an incident has changed, and ends the incident.");

    public static Command BuildClose() => Build("close", "close", "Closes an incident that a person took over, or whose end needed a person.");

    public static Command BuildRetry() => Build("retry", "retry", "Tries an ended incident again, as a new incident on the same target.");

    public static Command BuildNote()
    {
        var (id, by) = (ClientOptions.IncidentId(), ClientOptions.By(Who));
        var text = new Argument<string>("text") { Description = "What to write into the record." };
        var command = new Command("note", "Writes a note into an incident's record.") { id, by, text };
        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var body = new JsonObject { ["by"] = parsed.GetRequiredValue(by), ["reason"] = parsed.GetRequiredValue(text) };
            return (await api.PostIncidentAsync(parsed.GetRequiredValue(id), "notes", body, cancellationToken)).Print();
        });
    }

    private static Command Build(string name, string path, string description, bool needed = true, string field = "reason")
    {
        var (id, by) = (ClientOptions.IncidentId(), ClientOptions.By(Who));
        var reason = needed ? ClientOptions.Reason() : ClientOptions.Reason("What you do about it; goes on the record.");
        reason.Required = needed;
        return ClientOptions.WithHost(new Command(name, description) { id, by, reason }, async (parsed, api, cancellationToken) =>
        {
            var body = new JsonObject { ["by"] = parsed.GetRequiredValue(by), [field] = parsed.GetValue(reason) };
            return (await api.PostIncidentAsync(parsed.GetRequiredValue(id), path, body, cancellationToken)).Print();
        });
    }
}
