using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Web.Pages;

/// <summary>The first words of the console. "All quiet" is a promise: nothing waits for a person, failed and unanswered ones included.</summary>
internal static class ConsoleHeading
{
    public static string Of(ConsoleModel model)
    {
        var asked = (string?[])[
            model.Waiting > 0 ? $"{CountText.Format(model.Waiting, "question")} waiting for an answer" : null,
            model.NeedsPerson.Count > 0 ? $"{CountText.Format(model.NeedsPerson.Count, "incident")} {(model.NeedsPerson.Count == 1 ? "needs" : "need")} a person" : null,
        ];
        return string.Join(", ", asked.OfType<string>()) is { Length: > 0 } words ? words
            : model.Open.Count > 0 ? CountText.Format(model.Open.Count, "open incident")
            : model.AnyOpen ? "Nothing open fits this filter"
            : "All quiet";
    }
}
