using Microsoft.AspNetCore.Http;
using Runbooks.Web.Pages;

namespace Runbooks.Web.Http;

/// <summary>A form of our own pages in which a person says who they are and why.</summary>
internal sealed record SignedForm(string By, string Reason)
{
    /// <param name="signedIn">The person that the platform has authenticated: then the name that was typed does not count.</param>
    /// <param name="notDone">The title of the page that says why nothing was done.</param>
    public static async Task<(SignedForm? Form, IResult? Refusal)> ReadAsync(HttpRequest request, string? signedIn, string notDone, CancellationToken cancellationToken)
    {
        if (!SameOrigin.Allows(request))
        {
            return (null, Refuse(notDone, StatusCodes.Status403Forbidden, "This was sent from another site. Open the page here and press the button there."));
        }

        var form = await SmallForm.ReadAsync(request, cancellationToken);
        var (by, reason) = (signedIn ?? form?["by"].ToString() ?? "", form?["reason"].ToString() ?? "");
        return string.IsNullOrWhiteSpace(by) || string.IsNullOrWhiteSpace(reason)
            ? (null, Refuse(notDone, StatusCodes.Status400BadRequest, "Say who does this and why: go back and fill in both fields."))
            : (new(Words.Clip(by.Trim(), 200), Words.Clip(reason.Trim(), 1000)), null);
    }

    public static IResult Refuse(string title, int status, string text) => new PageResult<MessagePage>(new { Title = title, Text = text, Home = true }, status);
}
