using System.Net;
using System.Text.Json.Nodes;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary>What to do with answers that are not a success.</summary>
internal static class ApiAnswers
{
    /// <exception cref="CommandException">The host said no; its words are passed on.</exception>
    public static (HttpStatusCode Status, JsonNode? Body) OrFail(this (HttpStatusCode Status, JsonNode? Body) answer) =>
        (int)answer.Status is >= 200 and < 300
            ? answer
            : throw new CommandException($"The host answered {(int)answer.Status}: {Words(answer.Body)}", ExitCode.Failed);

    private static string Words(JsonNode? body) => body switch
    {
        JsonObject problem when problem["message"] is { } message => message.ToString(),
        JsonObject problem when problem["detail"] is { } detail => detail.ToString(),
        JsonObject problem when problem["title"] is { } title => title.ToString(),
        null => "no details.",
        _ => body.ToString(),
    };
}
