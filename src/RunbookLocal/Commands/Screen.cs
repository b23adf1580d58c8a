using Spectre.Console;

namespace RunbookLocal.Commands;

/// <summary>What the command line prints. Text from outside is escaped: neither markup nor terminal control comes through.</summary>
internal static class Screen
{
    private static readonly IAnsiConsole s_errors = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    public static void Error(string message) => s_errors.MarkupLine($"[red]error:[/] {Plain(message)}");

    public static void Line(string markup = "") => AnsiConsole.MarkupLine(markup);

    /// <summary>As it is, never wrapped and never coloured: for links and for what another program reads.</summary>
    public static void Raw(string text) => Console.Out.WriteLine(text);

    public static string Plain(string? text) => Markup.Escape(string.Concat((text ?? "").Select(c => char.IsControl(c) && c != '\n' ? ' ' : c)));
}
