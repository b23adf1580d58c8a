using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using Runbooks.Model.Incidents;
using RunbookServer.Samples;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook fire SAMPLE|FILE</c>: posts an alert to the running host, as its sender would.</summary>
internal static class FireCommand
{
    public static Command Build()
    {
        var client = new ClientOptions();
        var what = new Argument<string?>("sample")
        {
            Description = "The name of a sample alert, or a file with an alert. Without it the samples are listed.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var source = SampleAlerts.SourceOption();
        var reset = new Option<bool>("--reset") { Description = "First puts the sandbox back to how it was at the start; without a sample, that alone." };
        var command = new Command("fire", "Posts a sample or a given alert to the running host.") { what, source, reset };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var name = parsed.GetValue(what);
            var wantsReset = parsed.GetValue(reset);
            if (string.IsNullOrEmpty(name) && !wantsReset)
            {
                ConsoleOutput.Raw("Samples:");
                foreach (var sample in SampleAlerts.Names)
                {
                    ConsoleOutput.Raw($"  {sample}");
                }

                return ExitCode.Done;
            }

            using var api = client.Connect(parsed);
            if (wantsReset)
            {
                await ResetAsync(api, cancellationToken);
            }

            if (string.IsNullOrEmpty(name))
            {
                return ExitCode.Done;
            }

            var (sender, body) = SampleAlerts.Read(name, parsed.GetValue(source));
            var (_, answer) = (await api.PostAsync($"api/alerts/{sender}", body, cancellationToken)).OrFail();
            foreach (var incident in answer?["incidents"]?.AsArray() ?? [])
            {
                Print(incident, api.Address);
            }

            foreach (var error in answer?["errors"]?.AsArray() ?? [])
            {
                ConsoleOutput.Error($"{error?["path"]}: {error?["found"]}; {error?["remedy"]}");
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static async Task ResetAsync(ApiClient api, CancellationToken cancellationToken)
    {
        var answer = await api.PostAsync("api/sandbox/reset", "{}", cancellationToken);
        if (answer.Status == HttpStatusCode.NotFound)
        {
            throw new CommandException("The host has no sandbox: it was not started to practise.", ExitCode.Failed);
        }

        var (_, done) = answer.OrFail();
        ConsoleOutput.Raw(done?["message"]?.ToString() ?? "The sandbox was reset.");
    }

    private static void Print(JsonNode? incident, Uri address)
    {
        var id = incident?["id"]?.ToString();
        var about = incident?["runbook"] is { } runbook ? $"{runbook} on {IncidentText.Target((string?)incident["target"] ?? "")}." : "";
        ConsoleOutput.Raw($"{incident?["outcome"]}: {about} {incident?["reason"]}".Replace("  ", " ", StringComparison.Ordinal).TrimEnd());
        if (!string.IsNullOrEmpty(id))
        {
            ConsoleOutput.Raw($"  {new Uri(address, $"/incidents/{Uri.EscapeDataString(id)}")}");
        }
    }
}
